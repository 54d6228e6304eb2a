package payments

import (
	"strconv"
	"strings"
)

// summary is what the timeline tells of a request: which of its fields were given
// and how large they were, and in full only what can hold nothing personal.
func (r request) summary() map[string]string {
	s := map[string]string{}
	put := func(name, value string) {
		if value != "" {
			s[name] = value
		}
	}
	size := func(text string) string {
		if text == "" {
			return ""
		}
		return strconv.Itoa(len(text)) + " bytes"
	}
	count := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	if p := r.Create; p != nil {
		put("description", size(p.Description))
		put("customer", given(p))
		put("lines", count(len(p.Lines)))
		put("locale", p.Locale)
		put("options", count(len(p.Options)))
		put("return_url", size(p.ReturnURL))
		put("fail_url", size(p.FailURL))
	}
	if n := r.Receipt; n != nil {
		put("code", size(n.Code))
		put("lines", count(len(n.Lines)))
	}
	put("code", size(r.Code))
	return s
}

// given names the fields of the customer that were filled, and none of what is in
// them.
func given(p *NewPayment) string {
	var names []string
	for _, f := range []struct{ name, value string }{
		{"name", p.Customer.Name}, {"email", p.Customer.Email}, {"phone", p.Customer.Phone},
	} {
		if f.value != "" {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, ", ")
}
