// Package abi is version 1 of the contract between a plugin and its host: the
// names and numbers of exports and imports, the limits, and the codecs of the
// messages that cross.
//
// The messages are protobuf wire format; proto/payhost/v1/payhost.proto is the
// published schema and docs/abi.md the prose for authors in other languages. The
// codecs here are written by hand, free of reflection, so that a plugin does not
// carry a protobuf runtime. Tests hold them against the schema by an independent
// decoder, and testdata pins their bytes.
//
// # Ownership
//
// Append functions write into a buffer the caller owns. Decode functions return
// values whose strings and byte slices share memory with the input: the caller
// must leave the input unchanged for as long as it uses the result.
package abi
