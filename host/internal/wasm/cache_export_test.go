package wasm

// What the tests of the cache need to write an entry themselves, and to join data.
var (
	SumOf  = sumOf
	Joined = joined
)
