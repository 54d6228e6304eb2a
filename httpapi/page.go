package httpapi

import "github.com/danielgtaylor/huma/v2"

var _ huma.Adapter = (*adapter)(nil)

const aboutCreate = "Answers what has to happen next: `redirect`, `show_qr`, `present_code` or `wait`. " +
	"At a till the amount is not known yet and comes with release."

func exampleAmount(value, currency string) map[string]any {
	return map[string]any{"value": value, "currency": currency}
}

func exampleCreate() map[string]any {
	return map[string]any{
		"connection": "rahmet-main", "order_id": "100500", "amount": exampleAmount("250000", "KZT"),
		"description": "Order 100500", "return_url": "https://shop.example/thanks", "metadata": map[string]any{"cart": "17"},
	}
}

// The page needs nothing but itself: no script, no picture, no other host.
const pageCSS = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h2{margin-top:3rem;border-bottom:1px solid #ccc}h3{margin-bottom:0;font-family:ui-monospace,monospace;font-size:1rem;overflow-wrap:anywhere}
pre,code{font-family:ui-monospace,monospace;font-size:.9em}pre{background:#f4f4f4;padding:.7rem;overflow-x:auto;white-space:pre-wrap}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
td,th{text-align:left;vertical-align:top;padding:.15rem .7rem .15rem 0;border-top:1px solid #eee}
.m{display:inline-block;min-width:3.5rem;color:#0b57d0}.q{color:#666}a{color:#0b57d0}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}pre{background:#242424}td,th{border-color:#333}h2{border-color:#444}
.m,a{color:#8ab4f8}.q{color:#aaa}}`

const pageHTML = `{{define "fields"}}<table>{{range .}}
<tr><td><code>{{.Name}}</code></td><td class="q">{{.Kind}}{{if .Required}}, required{{end}}</td><td>{{.About}}</td></tr>
{{end}}</table>{{end}}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title><style>{{.Style}}</style></head><body>
<h1>{{.Title}}</h1>
<pre>{{.About}}</pre>
<p>The same for programs: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
<ul>{{range .Groups}}<li>{{.Name}}<ul>{{range .Operations}}<li><a href="#{{.ID}}">{{.Summary}}</a></li>{{end}}</ul></li>{{end}}</ul>
{{range .Groups}}<h2>{{.Name}}</h2>
{{range .Operations}}<section id="{{.ID}}"><h3><span class="m">{{.Method}}</span> {{.Path}}</h3>
<p>{{.Summary}}{{if .Scope}} <span class="q">({{.Scope}})</span>{{end}}{{if .About}}. {{.About}}{{end}}</p>
{{if .Parameters}}{{template "fields" .Parameters}}{{end}}
{{if .Body}}<p>Body: <code>{{.Body}}</code></p>{{end}}{{if .Example}}<pre>{{.Example}}</pre>{{end}}
{{template "fields" .Responses}}
</section>{{end}}{{end}}
<h2>Bodies</h2>
{{range .Schemas}}<section id="schema-{{.Name}}"><h3>{{.Name}}</h3>
{{template "fields" .Fields}}
</section>{{end}}
</body></html>
`
