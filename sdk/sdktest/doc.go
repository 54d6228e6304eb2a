// Package sdktest runs a payment provider natively in go test: against a written
// HTTP transcript, with a clock, a random source and a storage that the test owns.
// No network, no Wasm, no waiting. The package's own acme_test.go and
// testdata/acme.txt are a whole example: a provider in small, and its tests.
//
//	func TestCreate(t *testing.T) {
//		t.Parallel()
//		p := sdktest.New(t, acme.New(), sdktest.Config{
//			Settings: `{"shop": "42"}`,
//			Secrets:  []string{"api_token"},
//		})
//		p.Transcript("testdata/create.txt")
//		result, err := p.Create(pay.CreateRequest{OrderID: "100500", Amount: pay.New(250000, pay.KZT)})
//		...
//	}
//
// # Transcripts
//
// A transcript is text: the exchanges in the order in which the provider must make
// them. Lines of the request begin with ">", lines of the answer with "<", and
// lines that begin with "#" are comments.
//
//	# create, version 1
//	> POST /orders/v1/preorder/create money
//	> auth: oauth2 rahmet
//	> content-type: application/x-www-form-urlencoded
//	>
//	> amount=2500&merchant_order_id=100500
//	< 200
//	< content-type: application/json
//	<
//	< {"error_code": 0, "data": {"preorder_id": 7}}
//
// The first line of a request has the method, the path under the base URL (or a
// whole URL) with its query, and the effect: "read" or "money". All three are
// compared, and so is the body. A header is compared only if it is written down.
// These names are not headers but parts of the request, compared likewise:
//
//	auth: none | basic USER PASSWORD | bearer SECRET | header NAME [PREFIX] SECRET |
//	      oauth2 PROFILE [renew GENERATION] | hmac KEY ALGORITHM HEADER ENCODING
//	form-secret: FIELD=SECRET
//	tls: none | IDENTITY
//	timeout: 5s
//
// A JSON body is compared by value, numbers by their exact text: 35.45 is not
// 35.450. A form is compared field by field, the order of different fields left
// open; it may stand on several lines. Any other body is compared as text.
//
// Where a value can't be known, write {{any}}: it fits any text that is not empty,
// alone or inside a longer one, and as a JSON string "{{any}}" it fits any value.
//
// The answer begins with its HTTP status, or says why there is none:
//
//	< !not_sent REASON    not one byte left: DNS, connect, TLS
//	< !unknown REASON     bytes left, no whole answer came
//	< !auth CODE          the host could not get a token
//
// A body that text lines can't show stands in Go quotes: < !body "\xef\xbb\xbf{}".
//
// A file may hold several transcripts, each under a line "== name"; then
// [Plugin.Transcript] takes "testdata/create.txt#name", and [Sections] lists the
// names for a table test.
//
// # What fails a test
//
// A request that does not fit the transcript; one beyond its end; an exchange left
// over when the test ends. And whatever a real host would refuse: a call that the
// manifest's egress does not cover, more writing calls than it declares, a writing
// call in a reading operation, a secret, key, identity, OAuth2 profile or storage
// that it does not declare, a header that is the host's own, a second reply, an
// answer for a payment that was not asked after, methods that differ from the
// declared operations.
//
// What is returned is the plugin's own reading, carried through the ABI's encoding
// as in production. The host's verdict on top of it is not part of the harness.
package sdktest
