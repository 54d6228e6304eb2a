package scenario

import (
	"fmt"
	"strings"
	"time"
)

// timeWords are the parts of a time's form, longest first, and Go's words for them.
var timeWords = [...]struct{ word, layout string }{
	{"YYYY", "2006"},
	{"MM", "01"},
	{"DD", "02"},
	{"hh", "15"},
	{"mm", "04"},
	{"ss", "05"},
	{".fff", ".000"},
	{"ZZ", "-07:00"},
}

// readForm turns YYYY-MM-DD hh:mm:ss into what Go understands.
func readForm(form string) (string, error) {
	switch form {
	case unixForm, unixMSForm:
		return form, nil
	case "rfc3339":
		return time.RFC3339, nil
	}
	layout, rest := "", form
next:
	for rest != "" {
		for _, w := range timeWords {
			if after, ok := strings.CutPrefix(rest, w.word); ok {
				layout, rest = layout+w.layout, after
				continue next
			}
		}
		if !strings.ContainsRune("-/.:, TZ", rune(rest[0])) {
			return "", fmt.Errorf("%q in form %q is none of YYYY MM DD hh mm ss .fff ZZ, nor one of - / . : , T Z and space", rest[:1], form)
		}
		layout, rest = layout+rest[:1], rest[1:]
	}
	// A form that loses the day can't say when something ends.
	if !strings.Contains(form, "YYYY") || !strings.Contains(form, "MM") || !strings.Contains(form, "DD") {
		return "", fmt.Errorf("form %q has no YYYY, MM or DD; others are rfc3339, unix and unix_ms", form)
	}
	return layout, nil
}

// readZone takes UTC, an offset such as +05:00, or a name that the machine knows.
func readZone(name string) (*time.Location, error) {
	if at, err := time.Parse("-07:00", name); err == nil {
		_, offset := at.Zone()
		return time.FixedZone(name, offset), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is not UTC, an offset such as +05:00, or a zone that this machine knows", name)
	}
	return zone, nil
}

// readClock reads the file's section time.
func readClock(p place) clock {
	c := clock{time.UTC, time.RFC3339}
	if !p.given() {
		return c
	}
	f := p.fields("zone", "format")
	var err error
	if zone := f["zone"]; zone.given() {
		if c.zone, err = readZone(zone.text()); err != nil {
			zone.bad("%s", err)
			c.zone = time.UTC
		}
	}
	if form := f["format"]; form.given() {
		if c.form, err = readForm(form.text()); err != nil {
			form.bad("%s", err)
		}
	}
	return c
}
