package simkit

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// Page is a payment page: what is to be paid, where it stands, and what a person may do. It works without a
// script.
type Page struct {
	// Brand is the provider's name; Title is what the page is for.
	Brand string
	Title string
	// Amount is ready to read, with its currency.
	Amount string
	// State is where the payment stands, in words, and Tone colors it.
	State string
	Tone  Tone
	// Note, when not empty, explains the state in a sentence.
	Note string
	// Rows are the facts, in order.
	Rows []Row
	// QR, when not empty, is a PNG image.
	QR []byte
	// Action is the path that the buttons post to; each sends its name as the form field "action".
	Action  string
	Buttons []Button
	// Links lead on, back to the merchant for example.
	Links []Link
}

// Tone is the mood of a page's state.
type Tone string

// The tones.
const (
	Waiting Tone = "waiting"
	Good    Tone = "good"
	Bad     Tone = "bad"
)

// Row is one fact on a page.
type Row struct{ Label, Value string }

// Button is one thing a person may do. Primary marks the one to press first.
type Button struct {
	Name    string
	Label   string
	Primary bool
}

// Link is a way out of the page. A target that is not http or https, such as a deep link, is shown and not
// linked, since a browser would run a javascript: one.
type Link struct{ Label, URL string }

// Web says whether a browser may follow the link.
func (l Link) Web() bool {
	u, err := url.Parse(l.URL)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Scheme, "http") || strings.EqualFold(u.Scheme, "https")
}

// Image is the QR code as a data URI. Only bytes of our own making come here.
func (p Page) Image() template.URL {
	return template.URL(DataURI(p.QR)) // base64 cannot leave the attribute
}

// DataURI is a PNG image as a data URI.
func DataURI(png []byte) string {
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(png)
}

// WritePage answers with the page. The answer may not be cached, framed or made to load anything from
// elsewhere.
func WritePage(w http.ResponseWriter, status int, p Page) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", contentPolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	// A browser that has gone is not the simulator's trouble.
	_ = pageTemplate.Execute(w, p)
}

const contentPolicy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; " +
	"frame-ancestors 'none'; base-uri 'none'"

var pageTemplate = template.Must(template.New("page").Parse(pageHead + pageBody))

const pageHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}} · {{.Brand}} simulator</title>
<style>
:root { color-scheme: light dark; --ink: #1a2230; --soft: #5d6878; --card: #fff; --ground: #eef1f6;
  --line: #dfe4ec; --go: #0b6e4f; --good: #0b6e4f; --bad: #a3261f; --waiting: #7a5200; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf3; --soft: #9aa5b5; --card: #1b212c; --ground: #10141b;
    --line: #2e3644; --go: #12805d; --good: #5fd0a5; --bad: #ff8f87; --waiting: #f0c05a; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem 1rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 1rem; padding: 1.75rem; }
header { display: flex; justify-content: space-between; gap: 1rem; color: var(--soft); font-size: .875rem; }
h1 { margin: 1rem 0 0; font-size: 1rem; font-weight: 500; color: var(--soft); }
.amount { margin: 0; font-size: 2.25rem; font-weight: 650; line-height: 1.2; overflow-wrap: anywhere; }
.state { margin: .75rem 0 0; font-weight: 600; }
.state.good { color: var(--good); } .state.bad { color: var(--bad); }
.state.waiting { color: var(--waiting); }
.note { margin: .25rem 0 0; color: var(--soft); }
dl { margin: 1.25rem 0 0; border-top: 1px solid var(--line); }
dl div { display: flex; justify-content: space-between; gap: 1rem; padding: .5rem 0;
  border-bottom: 1px solid var(--line); }
dt { color: var(--soft); flex: none; } dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
figure { margin: 1.25rem 0 0; text-align: center; }
figure img { width: 11rem; height: 11rem; padding: .5rem; background: #fff; border-radius: .5rem;
  image-rendering: pixelated; }
form { display: grid; gap: .6rem; margin-top: 1.5rem; }
button { font: inherit; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .6rem;
  cursor: pointer; background: transparent; color: inherit; }
button.primary { background: var(--go); border-color: var(--go); color: #fff; font-weight: 600; }
button:focus-visible, a:focus-visible { outline: 3px solid #4c8dff; outline-offset: 2px; }
.links { margin: 1.25rem 0 0; display: grid; gap: .4rem; overflow-wrap: anywhere; }
a { color: inherit; font-weight: 600; }
</style>
</head>
`

const pageBody = `<body>
<main>
<header><strong>{{.Brand}}</strong><span>Simulator: no money moves</span></header>
<h1>{{.Title}}</h1>
{{with .Amount}}<p class="amount">{{.}}</p>{{end}}
<p class="state {{.Tone}}" role="status">{{.State}}</p>
{{with .Note}}<p class="note">{{.}}</p>{{end}}
{{with .Rows}}<dl>{{range .}}<div><dt>{{.Label}}</dt><dd>{{.Value}}</dd></div>{{end}}</dl>{{end}}
{{if .QR}}<figure><img src="{{.Image}}" alt="QR code of this page's address"></figure>{{end}}
{{if .Buttons}}<form method="post" action="{{.Action}}">
{{range .Buttons}}<button type="submit" name="action" value="{{.Name}}"{{if .Primary}} class="primary"{{end}}>
{{- .Label}}</button>
{{end}}</form>{{end}}
{{with .Links}}<div class="links">{{range .}}
{{- if .Web}}<a href="{{.URL}}" rel="noreferrer">{{.Label}}</a>
{{- else}}<span>{{.Label}}: <code>{{.URL}}</code></span>{{end}}
{{end}}</div>{{end}}
</main>
</body>
</html>
`
