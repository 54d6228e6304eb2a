package pay_test

import (
	"strings"
	"testing"

	"github.com/payhost/payhost/sdk/pay"
)

// wellKnown is written down from ISO 4217 apart from the table under test:
// every code whose exponent is not 2, and the currencies of large economies.
var wellKnown = map[string]int{
	"BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF": 0,
	"AED AMD ARS AUD AZN BDT BRL BYN CAD CHF CNY COP CZK DKK DZD EGP EUR GBP GEL GHS HKD HUF IDR ILS INR " +
		"IRR KES KGS KZT LKR MAD MDL MGA MNT MRU MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAR " +
		"SEK SGD SLE THB TJS TMT TRY TWD TZS UAH USD UYU UZS VES XCG ZAR ZMW ZWG": 2,
	"BHD IQD JOD KWD LYD OMR TND": 3,
	"CLF UYW":                     4,
}

func TestCurrencyExponent(t *testing.T) {
	t.Parallel()
	for codes, want := range wellKnown {
		for code := range strings.FieldsSeq(codes) {
			if got, ok := pay.Currency(code).Exponent(); !ok || got != want {
				t.Errorf("%s: exponent %d %t, want %d", code, got, ok, want)
			}
		}
	}
}

// TestCurrencyTable walks every three letters: the number of codes per exponent
// is that of the standard, and each exponent other than 2 stands in wellKnown.
func TestCurrencyTable(t *testing.T) {
	t.Parallel()
	count := map[int]int{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				if exp, ok := pay.Currency([]rune{a, b, c}).Exponent(); ok {
					count[exp]++
				}
			}
		}
	}
	for codes, exp := range wellKnown {
		if n := len(strings.Fields(codes)); exp != 2 && count[exp] != n {
			t.Errorf("%d codes with exponent %d, want %d", count[exp], exp, n)
		}
	}
	if count[2] < 120 || count[2] > 140 {
		t.Errorf("%d codes with exponent 2", count[2])
	}
}

func TestCurrencyUnknown(t *testing.T) {
	t.Parallel()
	// Funds, metals, test codes, withdrawn codes and what is no code at all.
	none := "XAU XAG XXX XTS XDR BOV CHE CHW COU MXV USN HRK ANG ZWL SLL BYR kzt Kzt KZ KZTT 398"
	for code := range strings.FieldsSeq(none) {
		if exp, ok := pay.Currency(code).Exponent(); ok || exp != 0 {
			t.Errorf("%s is taken for a currency", code)
		}
	}
	if _, ok := pay.Currency("").Exponent(); ok {
		t.Error("no code is taken for a currency")
	}
}
