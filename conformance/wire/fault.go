package wire

import "time"

// Kind names what happens to a request.
type Kind string

// The faults of the network.
const (
	// Refuse refuses the connection: nothing is sent.
	Refuse Kind = "refuse"
	// CutBefore takes the request and closes; it never reaches the provider.
	CutBefore Kind = "cut_before"
	// CutAfter lets the provider act and closes before its answer.
	CutAfter Kind = "cut_after"
	// CutWithin closes in the middle of the answer's body.
	CutWithin Kind = "cut_within"
	// Slow lets the provider act and holds the answer until the host gives up.
	Slow Kind = "slow"
	// Late holds the request until the host gives up, and delivers it behind the next
	// one: the provider sees them in the other order.
	Late Kind = "late"
	// Twice delivers the request two times; the first answer comes back.
	Twice Kind = "twice"
)

// The answers that are given in the provider's place. The request does not reach
// it unless the Fault says After.
const (
	TooMany      Kind = "429"             // without Retry-After
	TooManyWait  Kind = "429_retry_after" // with it
	Unauthorized Kind = "401"
	ServerError  Kind = "500"
	BadGateway   Kind = "502"
	Unavailable  Kind = "503"
	HTML         Kind = "html"  // 200 and an error page
	Empty        Kind = "empty" // 200 and nothing
	Huge         Kind = "huge"  // more than any limit
)

// The answers of the provider that are changed.
const (
	Half         Kind = "half"          // whole as HTTP, half as JSON
	BOM          Kind = "bom"           // a byte order mark before it
	WrongTypes   Kind = "wrong_types"   // every text a number, every number a text, …
	NumbersText  Kind = "numbers_text"  // every number as text and every text that is a number as one
	Nulls        Kind = "nulls"         // every member that holds a text or a number is null
	MoreFields   Kind = "more_fields"   // unknown members everywhere
	UnknownWord  Kind = "unknown_word"  // the texts of Fault.Words are others
	OtherAmount  Kind = "other_amount"  // the amounts of Fault.Words are others
	OtherSubject Kind = "other_subject" // the references of Fault.Words are others
)

// The ends of the process.
const (
	// KillBefore kills the process when the request has left it, before the provider
	// has it.
	KillBefore Kind = "kill_before"
	// KillAfter kills it when the provider has acted, before the answer is seen.
	KillAfter Kind = "kill_after"
)

// Kills are the ends of the process.
func Kills() []Kind { return []Kind{KillBefore, KillAfter} }

// Fault is something that happens to requests.
type Fault struct {
	Kind Kind
	// At is the number of the request that it happens to, from 1; 0 for every request
	// from now on.
	At int
	// Site, if not nil, is where At counts: among its requests, and not among all. A
	// merchant that asks once more or once less is then no matter. Nothing is known of a
	// request whose connection is refused, so Refuse counts among all.
	Site *Site
	// Then, if not nil, is what is armed once this has happened.
	Then *Fault
	// For is how long it lasts, from the first request that it happens to, by the wire's
	// clock; 0 for ever.
	For time.Duration
	// Again is how many more times it happens: to the requests that follow with the
	// same method and path, which are repeats, until another comes.
	Again int
	// Path limits it to requests of this path, or of this beginning if it ends in "*";
	// empty for all.
	Path string
	// After lets the provider act before an answer is given in its place.
	After bool
	// Words are what the changes of words, amounts and references look for in an
	// answer, as texts.
	Words []string
}

// Site is the requests of a method and a path that are made while the merchant is at
// a step. A part of Path that is "*" stands for any.
type Site struct {
	Method, Path, Step string
}

// String says it in a report: "cut_after at request 3".
func (f Fault) String() string { return f.describe() }
