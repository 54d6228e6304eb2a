// Package plot draws the results of make bench as an SVG that follows the reader's
// light or dark theme.
package plot

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"

	"github.com/payhost/payhost/bench/internal/report"
)

// The picture's measures, in SVG's units.
const (
	width  = 820
	labels = 300 // room for the names
	values = 72  // room for the figures behind the bars
	row    = 26
	thick  = 16 // of a bar
	head   = 58 // title and subtitle of a panel
	foot   = 30 // ticks of the scale
	margin = 16
)

const style = `<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 }
.quiet { fill: #59636e; font-size: 12px }
.own { font-weight: 600 }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.bar { fill: #9aa4af }
.bar.own { fill: #0f7b6c }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.quiet { fill: #9198a1 }
.grid { stroke: #3d444d }
.bar { fill: #656c76 }
.bar.own { fill: #3fb8a4 }
}
</style>
`

// panel is one comparison.
type panel struct {
	title, subtitle string
	bars            []report.Bar
	log             bool
	format          func(float64) string
}

// Draw writes the picture.
func Draw(w io.Writer, r *report.Results) error {
	panels := []panel{
		{
			title: "Create payment, one call, × native Go", log: true,
			subtitle: "less is better; logarithmic; a request becomes a form, a stub answers, JSON becomes a result; payhost bounds its CPU",
			bars:     r.Call, format: func(v float64) string { return short(v) + "×" },
		},
		{
			title:    "From end to end, payments a second",
			subtitle: "more is better; HTTP API, plugin, TLS 1.3 to a provider; 64 clients on the same processors",
			bars:     r.Whole, format: func(v float64) string { return fmt.Sprintf("%.0f", v) },
		},
	}
	var body strings.Builder
	y := margin
	for _, p := range panels {
		y = p.draw(&body, y)
	}
	fmt.Fprintf(&body, "<text class=\"quiet\" x=\"%d\" y=\"%d\">%s</text>\n", margin, y+14, html.EscapeString(r.Machine))
	_, err := fmt.Fprintf(w, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "+
		"aria-label=\"Benchmarks of payhost and its peers\">\n%s%s</svg>\n", width, y+14+margin, style, body.String())
	return err
}

// draw draws the panel from y on and returns where the next one begins.
func (p panel) draw(b *strings.Builder, y int) int {
	fmt.Fprintf(b, "<text class=\"title\" x=\"%d\" y=\"%d\">%s</text>\n", margin, y+18, html.EscapeString(p.title))
	fmt.Fprintf(b, "<text class=\"quiet\" x=\"%d\" y=\"%d\">%s</text>\n", margin, y+38, html.EscapeString(p.subtitle))
	scale := p.scale()
	top, bottom := y+head, y+head+row*len(p.bars)
	for _, tick := range scale.ticks {
		x := scale.x(tick)
		fmt.Fprintf(b, "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", x, top-4, x, bottom)
		fmt.Fprintf(b, "<text class=\"quiet\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">%s</text>\n", x, bottom+16, p.format(tick))
	}
	for i, bar := range p.bars {
		p.bar(b, bar, scale, top+row*i)
	}
	return bottom + foot + margin
}

func (p panel) bar(b *strings.Builder, bar report.Bar, scale scale, y int) {
	class := ""
	if bar.Own {
		class = " own"
	}
	middle := y + thick/2 + 5
	fmt.Fprintf(b, "<text class=\"%s\" text-anchor=\"end\" x=\"%d\" y=\"%d\">%s</text>\n",
		strings.TrimSpace(class), labels-10, middle, html.EscapeString(bar.Name))
	end := float64(labels)
	text := "not measured"
	if bar.Value > 0 {
		end, text = scale.x(bar.Value), p.format(bar.Value)
		fmt.Fprintf(b, "<rect class=\"bar%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>\n",
			class, labels, y, math.Max(2, end-labels), thick)
	}
	fmt.Fprintf(b, "<text class=\"quiet%s\" x=\"%.1f\" y=\"%d\">%s</text>\n", class, end+6, middle, text)
}

// scale puts values on the horizontal axis.
type scale struct {
	low, high float64
	log       bool
	ticks     []float64
}

func (p panel) scale() scale {
	low, high := math.Inf(1), 0.0
	for _, bar := range p.bars {
		if bar.Value > 0 {
			low, high = math.Min(low, bar.Value), math.Max(high, bar.Value)
		}
	}
	if high == 0 {
		low, high = 1, 10
	}
	if !p.log {
		step := math.Pow(10, math.Floor(math.Log10(high)))
		for high/step < 4 {
			step /= 2
		}
		s := scale{high: high}
		for v := 0.0; v <= high; v += step {
			s.ticks = append(s.ticks, v)
		}
		return s
	}
	s := scale{low: math.Pow(10, math.Floor(math.Log10(low*0.999))), high: high, log: true}
	for v := s.low; v <= high; v *= 10 {
		s.ticks = append(s.ticks, v)
	}
	return s
}

func (s scale) x(v float64) float64 {
	const room = width - labels - values - margin
	if !s.log {
		return labels + room*v/s.high
	}
	return labels + room*math.Log(v/s.low)/math.Log(s.high/s.low)
}

// short writes a ratio with two digits that count.
func short(v float64) string {
	switch {
	case v >= 10:
		return fmt.Sprintf("%.0f", v)
	case v >= 1 && v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case v >= 1:
		return fmt.Sprintf("%.1f", v)
	case v == 0.1:
		return "0.1"
	}
	return fmt.Sprintf("%.2f", v)
}
