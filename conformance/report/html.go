package report

import (
	_ "embed" // the page
	"html/template"
	"io"
	"strconv"

	"github.com/payhost/payhost/conformance"
)

//go:embed page.html
var page string

// writeHTML writes one page that needs nothing else: no script, no picture, no font.
// It is well-formed XML, too, so that a test can be strict with it.
func writeHTML(w io.Writer, v *view) error {
	t, err := template.New("page").Funcs(template.FuncMap{"span": span, "lives": lives}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, v)
}

// Name is the plugin's id and version, for the page.
func (v *view) Name() string { return v.name() }

// MoreLine is the line for failures that are not shown, for the page.
func (c checkView) MoreLine() string { return c.more() }

// The badge's two halves are as wide as their texts, at 11 pixels a letter's height.
const badgeLeft = 142

// BadgeRight is the width of the badge's right half.
func (v verdict) BadgeRight() int { return 18 + 7*len(v.Word) }

// BadgeWidth is the width of the whole badge.
func (v verdict) BadgeWidth() int { return badgeLeft + v.BadgeRight() }

// BadgeMiddle is the middle of the right half.
func (v verdict) BadgeMiddle() string {
	return strconv.FormatFloat(badgeLeft+float64(v.BadgeRight())/2, 'f', 1, 64)
}

// Fill is the color of the right half; white stands out on each.
func (v verdict) Fill() string {
	switch v.Tone {
	case "good":
		return "#18794e"
	case "fair":
		return "#8a5a00"
	case "bad":
		return "#c62a2f"
	}
	return "#5b6470"
}

// Tone is how the check's mark looks.
func (c checkView) Tone() string {
	switch c.Status {
	case conformance.Passed:
		return "good"
	case conformance.Skipped:
		return "none"
	}
	return "bad"
}
