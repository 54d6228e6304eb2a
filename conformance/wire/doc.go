// Package wire stands between a plugin's host and the provider, and makes the
// network fail there: at any request of any plugin, whatever the provider speaks.
//
// A [Wire] is one connection's. It takes every connection that the host's egress
// opens, reads the requests off it one by one, numbers them, and forwards them to
// the real provider over the real connection, TLS and client certificate included;
// a [Fault] that is armed for a request's number happens to it instead. What passed
// is kept in a journal.
//
// Faults come in three kinds: those of the network, which the host's own evidence
// must tell apart (refused, cut before, cut after, cut within, slow, late, twice);
// answers that somebody on the way gives in the provider's place (429, 500, a page
// of HTML); and answers of the provider that are changed (half of it, other types,
// another amount). And the process may be killed while a request is under way.
package wire
