package conformance

// Life is one life of a payment, from the merchant's request to its end, against a
// simulator of its own and in a time of its own.
type Life struct{}
