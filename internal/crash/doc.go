// Package crash kills payhost at every boundary that a crash can fall on, starts it
// again, and holds what it says against the providers' own ledgers. It is a test
// and nothing else.
package crash
