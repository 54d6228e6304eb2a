//go:build !wasip1

package slab

// Bytes returns an empty slice with room for n bytes.
func Bytes(n int) []byte { return make([]byte, 0, n) }

// Rest returns at least n bytes that are the caller's until the next call of this
// package; [Keep] makes the first of them its own for good.
func Rest(n int) []byte { return make([]byte, n) }

// Keep takes the first n bytes of what [Rest] returned.
func Keep(int) {}

// Pool gives out values of one type. The zero value is ready.
type Pool[T any] struct{}

// Take returns n values.
func (*Pool[T]) Take(n int) []T { return make([]T, n) }

// Single gives out one value of a type. The zero value is ready.
type Single[T any] struct{}

// Take returns a value.
func (*Single[T]) Take() *T { return new(T) }
