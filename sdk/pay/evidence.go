package pay

// Wire is what the host saw of an operation's writing calls.
type Wire uint8

// What can be seen of the writing calls of one operation, weakest last.
const (
	WireNone     Wire = 0 // no writing call was tried
	WireAnswered Wire = 1 // a whole answer came
	WireNotSent  Wire = 2 // not one byte left
	WireUnknown  Wire = 3 // bytes left, no whole answer came
)

var wireNames = []string{"none", "answered", "not_sent", "unknown"}

// String returns the word used in timelines.
func (w Wire) String() string {
	if int(w) < len(wireNames) {
		return wireNames[w]
	}
	return "unknown"
}

// Evidence is the host's own view of an operation on the wire. It is what
// decides an outcome; a plugin's opinion can only make it more cautious.
type Evidence struct {
	Wire     Wire
	Status   int   // HTTP status of the deciding answer, 0 if none came
	Calls    int   // writing calls tried, resends included
	Reads    int   // reading calls that were answered
	BytesOut int64 // bytes of writing calls that left, headers included
	InDoubt  bool  // of earlier attempts: they ended in doubt, by whatever evidence
}

// Doubtful reports whether the attempts that the evidence is of may have had an
// effect that nobody has seen: one ended in doubt, bytes left without an answer,
// or the provider answered with a server's error.
func (e Evidence) Doubtful() bool {
	return e.InDoubt || e.Wire == WireUnknown || e.Wire == WireAnswered && e.Status >= 500
}
