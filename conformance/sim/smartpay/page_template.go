package smartpay

import "html/template"

var payerTemplate = template.Must(template.New("payer").Parse(payerHead + payerBody))

const payerHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{{.Refresh}}">
<title>Payer's code · SmartPay simulator</title>
<style>
:root { color-scheme: light dark; --ink: #1a2230; --soft: #5d6878; --card: #fff; --ground: #eef1f6;
  --line: #dfe4ec; --go: #0b6e4f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf3; --soft: #9aa5b5; --card: #1b212c; --ground: #10141b;
    --line: #2e3644; --go: #12805d; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem 1rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 32rem; margin: 0 auto; background: var(--card); border: 1px solid var(--line);
  border-radius: 1rem; padding: 1.75rem; }
header { display: flex; justify-content: space-between; gap: 1rem; color: var(--soft); font-size: .875rem; }
h1 { margin: 1rem 0 0; font-size: 1.25rem; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 0; font-size: 1rem; }
.note { margin: .25rem 0 0; color: var(--soft); }
figure { margin: 1.25rem 0; text-align: center; }
figure img { max-width: 100%; background: #fff; border-radius: .5rem;
  image-rendering: pixelated; }
pre { margin: .75rem 0; padding: .75rem; border: 1px solid var(--line); border-radius: .6rem;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: .75rem; }
ul { list-style: none; margin: .75rem 0 0; padding: 0; border-top: 1px solid var(--line); }
li { padding: .75rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.amount { font-size: 1.5rem; font-weight: 650; }
.row { display: flex; gap: .6rem; margin-top: .5rem; }
button { font: inherit; padding: .6rem 1rem; border: 1px solid var(--line); border-radius: .6rem;
  cursor: pointer; background: transparent; color: inherit; flex: 1; }
button.primary { background: var(--go); border-color: var(--go); color: #fff; font-weight: 600; }
button:focus-visible { outline: 3px solid #4c8dff; outline-offset: 2px; }
</style>
</head>
`

const payerBody = `<body>
<main>
<header><strong>SmartPay</strong><span>Simulator: no money moves</span></header>
<h1>Code of {{.User}}</h1>
<p class="note">Show it at the till within {{.TTL}}. The page makes a new one every {{.Refresh}} seconds.</p>
<figure><img src="{{.Image}}" alt="QR code to show at the till"></figure>
<form method="get" action="/payer"><input type="hidden" name="user" value="{{.User}}">
<div class="row"><button type="submit" class="primary">New code</button></div></form>
<details><summary class="note">What the code says</summary><pre id="code">{{.Code}}</pre></details>
<h2>Open purchases</h2>
{{if not .Waits}}<p class="note">A released purchase settles by itself after some status calls;
with the setting payer=waits it waits for a button here.</p>{{end}}
{{if .Open}}<ul>{{range .Open}}
<li>{{if .Amount}}<span class="amount">{{.Amount}}</span><br>{{end -}}
{{.ID}}, till {{.Till}}, {{.KassaID}}, code of {{.User}}
{{if .Amount}}<form method="post" action="/payer/purchases/{{.ID}}?user={{$.User}}"><div class="row">
<button type="submit" name="action" value="approve" class="primary">Approve</button>
<button type="submit" name="action" value="decline">Decline</button></div></form>
{{- else}}<br><span class="note">The till has the code and has not asked for an amount yet.</span>{{end}}</li>
{{end}}</ul>{{else}}<p class="note">None.</p>{{end}}
</main>
</body>
</html>
`
