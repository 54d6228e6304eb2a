package smartpay

import (
	"fmt"
	"strconv"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// Magic amounts, in kopecks: a released purchase or a refund of exactly this sum
// behaves so, whatever the settings say.
const (
	AmountDeclined    int64 = 10_001 // the payer declines
	AmountWaits       int64 = 10_002 // pending until the payer's page or the control API decides
	AmountAtOnce      int64 = 10_003 // success at the first status call
	AmountRaceVoid    int64 = 10_004 // pending; a cancel meets the charge, which is then voided
	AmountRaceSuccess int64 = 10_005 // pending; a cancel comes too late, and the purchase succeeds
	AmountUnlisted    int64 = 10_006 // release is refused with CodeUnlisted
	RefundDeclined    int64 = 10_011 // the refund fails
	RefundWaits       int64 = 10_012 // the refund is pending until the control API decides
)

// MaxAmount is the largest purchase, in kopecks: 1 000 000 rubles.
const MaxAmount int64 = 100_000_000

// The words that settings hold.
const (
	wordYes          = "yes"
	wordNo           = "no"
	wordApproves     = "approves"
	wordDeclines     = "declines"
	wordWaits        = "waits"
	wordSame         = "same"
	wordError        = "error"
	wordNone         = "none"
	wordVoid         = "void"
	wordFinalSuccess = "final_success"
	wordRandom       = "random"
	wordCurrent      = "current"
	wordExtended     = "extended"
)

const maxCount = 100_000

// settings are the doubts about the provider that a test decides.
func settings() []simkit.Setting {
	either := []string{wordYes, wordNo}
	return []simkit.Setting{
		{
			Name: "payer", Default: wordApproves, Allowed: []string{wordApproves, wordDeclines, wordWaits},
			About: "what the payer does with a released purchase, once pending_polls are over",
		},
		{
			Name: "pending_polls", Default: "2", Check: checkCount,
			About: "how many status calls answer pending before a purchase settles",
		},
		{
			Name: "poll_budget", Default: "0", Check: checkCount,
			About: "how many status calls a pending purchase takes before 429; 0 is without end",
		},
		{
			Name: "release_repeat", Default: wordSame, Allowed: []string{wordSame, wordError},
			About: "what a second release with the same amount gets",
		},
		{
			Name: "cancel_polls", Default: "0", Check: checkCount,
			About: "how many status calls still answer pending after a cancel",
		},
		{
			Name: "cancel_race", Default: wordNone, Allowed: []string{wordNone, wordVoid, wordFinalSuccess},
			About: "what a cancel meets: nothing; a charge that it voids; a success that stays",
		},
		{
			Name: "confirm_within", Default: "0s", Check: simkit.CheckDuration,
			About: "how long a success waits for the till's word before it is voided; 0s is for ever",
		},
		{
			Name: "refund_outcome", Default: stateSuccess, Allowed: []string{stateSuccess, stateFail, wordWaits},
			About: "what becomes of a refund, once refund_polls are over",
		},
		{
			Name: "refund_polls", Default: "1", Check: checkCount,
			About: "how many status calls answer pending before a refund settles",
		},
		{
			Name: "refund_cancel_race", Default: wordNone, Allowed: []string{wordNone, wordFinalSuccess},
			About: "what canceling a pending refund meets: nothing, and it fails; a success that stays",
		},
		{
			Name: "code_ttl", Default: "5m", Check: simkit.CheckDuration,
			About: "how long a shown code may be claimed",
		},
		{
			Name: "session_lifetime", Default: "30m", Check: simkit.CheckDuration,
			About: "how long a cookie is good",
		},
		{
			Name: "single_session", Default: wordNo, Allowed: either,
			About: "whether a new session ends the till's earlier one",
		},
		{
			Name: "cookie_name", Default: "kassa_session", Check: checkCookieName,
			About: "the cookie's name; random is another one every time",
		},
		{Name: "tills", Default: "", About: "till ids that may authorize, separated by commas; empty is all"},
		{
			Name: "open_calls", Default: wordYes, Allowed: either,
			About: "whether ping and error_answers do without a session",
		},
		{
			Name: "error_list", Default: wordCurrent, Allowed: []string{wordCurrent, wordExtended},
			About: "whether error_answers lists the error code 7001 too",
		},
	}
}

// count is the value of a setting that checkCount guards.
func (s *service) count(name string) int {
	n, err := strconv.Atoi(s.kit.Setting(name))
	if err != nil {
		panic("smartpay: setting " + name + " is not a number")
	}
	return n
}

func checkCount(value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > maxCount {
		return fmt.Errorf("%q is not a whole number from 0 to %d", value, maxCount)
	}
	return nil
}

func checkCookieName(value string) error {
	if value == "" || len(value) > 64 {
		return fmt.Errorf("%q is not 1 to 64 characters long", value)
	}
	for _, c := range value {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '_' && c != '-' {
			return fmt.Errorf("%q has characters other than letters, digits, - and _", value)
		}
	}
	return nil
}
