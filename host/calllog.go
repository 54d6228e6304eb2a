package host

import (
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/sdk/abi"
)

// Log writes a plugin's line, masked, until the call's budget is used up.
func (c *call) Log(level int32, line []byte) int32 {
	if len(line) > c.logLeft {
		c.logLeft = 0
		return c.bad(abi.Quota, "log: the call has written too much")
	}
	c.logLeft -= len(line)
	var l hclog.Level
	switch level {
	case abi.LogDebug:
		l = hclog.Debug
	case abi.LogInfo:
		l = hclog.Info
	case abi.LogWarn:
		l = hclog.Warn
	case abi.LogError:
		l = hclog.Error
	default:
		return c.bad(abi.BadArgument, "log: unknown level")
	}
	if c.log.GetLevel() <= l {
		c.log.Log(l, c.mask(string(line)), "operation", c.op.String(), "from", "plugin")
	}
	return 0
}

// mask hides secrets, card numbers and e-mail addresses.
func (c *call) mask(text string) string {
	if c.binding == nil || text == "" {
		return text
	}
	return c.binding.scrubber.Mask(text)
}

// span is a plugin's own measure of a part of its work.
type span struct {
	name  string
	start time.Time
}

// maxSpans bounds the spans of a call, and so what they can cost.
const maxSpans = 64

// SpanStart begins a span.
func (c *call) SpanStart(name []byte) int32 {
	if len(c.spans) >= maxSpans || len(name) > 128 {
		return c.bad(abi.Quota, "span_start: too many spans or too long a name")
	}
	c.spans = append(c.spans, span{name: string(name), start: time.Now()})
	return int32(len(c.spans))
}

// SpanEnd ends a span and writes it to the log at debug level.
func (c *call) SpanEnd(id int32, attrs []byte) int32 {
	if id < 1 || int(id) > len(c.spans) || c.spans[id-1].start.IsZero() {
		return c.bad(abi.BadHandle, "span_end: no such span")
	}
	s := &c.spans[id-1]
	took := time.Since(s.start)
	s.start = time.Time{}
	if len(attrs) > 1024 {
		attrs = attrs[:1024]
	}
	c.log.Debug("span", "operation", c.op.String(), "span", c.mask(s.name), "took", took, "attrs", c.mask(string(attrs)))
	return 0
}
