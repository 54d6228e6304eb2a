package sdktest

import (
	"encoding/json"
	"time"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// call is the host's side of one call of the plugin.
type call struct {
	p           *Plugin
	op          pay.Operation
	spec        pay.OperationSpec
	providerKey string // the operation's key at the provider

	deadline time.Time
	input    []byte
	reply    []byte
	replies  int
	lastErr  []byte
	logLeft  int

	blobs blobs
	spans int32
	wire  wire
}

var _ abi.Imports = (*call)(nil)

func (p *Plugin) newCall(op pay.Operation, key string) *call {
	spec, _ := p.manifest.Operation(op)
	return &call{
		p: p, op: op, spec: spec, providerKey: key, deadline: p.now.Add(p.config.Timeout),
		logLeft: abi.MaxLog, blobs: blobs{left: abi.MaxBlobs},
	}
}

// call runs one operation and reads the plugin's reply.
func (p *Plugin) call(op pay.Operation, key string, input []byte) (abi.Reply, *pay.Error) {
	p.t.Helper()
	c := p.newCall(op, key)
	c.input = input
	return c.run()
}

func (c *call) run() (abi.Reply, *pay.Error) {
	c.p.t.Helper()
	if _, declared := c.p.manifest.Operation(c.op); !declared && c.op != pay.OpDescribe {
		return abi.Reply{}, c.named(&pay.Error{
			Class: pay.ClassUnsupported, Message: "the manifest does not declare the operation",
		})
	}
	if len(c.input) > abi.MaxMessage {
		c.p.t.Fatalf("sdktest: %s: the request is larger than a message may be", c.op)
	}
	code := abi.Code(c.p.guest(c, int32(c.op), int32(len(c.input))))
	switch {
	case code != abi.OK:
		return abi.Reply{}, c.named(&pay.Error{
			Class: pay.ClassPluginFault, Message: "plugin ended without an answer: " + code.String(), Err: code,
		})
	case c.replies != 1:
		c.violates("the plugin replied %d times, not once", c.replies)
	}
	reply, err := abi.DecodeReply(c.reply)
	if err != nil {
		c.violates("reply: %v", err)
	}
	if reply.Err != nil {
		return abi.Reply{}, c.named(reply.Err)
	}
	return reply, nil
}

func (c *call) named(e *pay.Error) *pay.Error {
	e.Operation = c.op
	return e
}

// violates fails the test: the plugin did what no host lets it.
func (c *call) violates(format string, args ...any) {
	c.p.t.Helper()
	c.p.script.broken = true
	c.p.t.Errorf("sdktest: "+c.op.String()+": "+format, args...)
}

// fail notes why an import says no, for last_error, and returns the code.
func (c *call) fail(code abi.Code, class pay.Class, message string) int32 {
	return c.failWith(code, &pay.Error{Class: class, Message: message})
}

func (c *call) failWith(code abi.Code, e *pay.Error) int32 {
	c.lastErr = abi.AppendError(nil, e)
	return int32(code)
}

// refuse fails the test and answers as a host that does not grant something.
func (c *call) refuse(message string) int32 {
	c.p.t.Helper()
	c.violates("%s", message)
	return c.fail(abi.Denied, pay.ClassPluginFault, message)
}

// over reports whether the call's time is up by the fake clock.
func (c *call) over() bool { return !c.p.now.Before(c.deadline) }

func (c *call) late() int32 {
	return c.fail(abi.Deadline, pay.ClassTimeout, "the call's time is over")
}

// Input copies the input message.
func (c *call) Input(off uint32, p []byte) int32 {
	if uint64(off) > uint64(len(c.input)) {
		return c.fail(abi.BadArgument, pay.ClassPluginFault, "input: offset behind the end")
	}
	return int32(copy(p, c.input[off:]))
}

// Reply keeps the reply message.
func (c *call) Reply(p []byte) int32 {
	if len(p) > abi.MaxMessage {
		return c.fail(abi.TooLarge, pay.ClassPluginFault, "reply: larger than a message may be")
	}
	c.replies++
	if c.replies > 1 {
		return c.fail(abi.Conflict, pay.ClassPluginFault, "reply: given already")
	}
	c.reply = append([]byte{}, p...)
	return 0
}

// LastError copies the error that explains the last negative code.
func (c *call) LastError(p []byte) int32 { return give(p, c.lastErr) }

// Features copies what this host can do.
func (c *call) Features(p []byte) int32 {
	return give(p, abi.AppendFeatures(nil, &abi.Features{
		Host: "sdktest", MaxCalls: abi.MaxCalls, MaxMemory: 64 << 20,
	}))
}

// Config copies the connection as the plugin may see it.
func (c *call) Config(p []byte) int32 {
	if c.op == pay.OpDescribe {
		return c.refuse("describe has no connection: a manifest is the same for all of them")
	}
	config := c.p.config
	m := abi.ConnectionConfig{
		Connection: config.Connection, BaseURL: config.BaseURL, Settings: []byte(config.Settings),
		Secrets: config.Secrets, Identities: config.Identities,
	}
	for name := range config.Keys {
		m.Keys = append(m.Keys, name)
	}
	return give(p, abi.AppendConnectionConfig(nil, &m))
}

// NowNS is the fake clock.
func (c *call) NowNS() int64 { return c.p.now.UnixNano() }

// DeadlineNS is how long the call has left by the fake clock.
func (c *call) DeadlineNS() int64 { return max(0, int64(c.deadline.Sub(c.p.now))) }

// Sleep moves the fake clock, no further than the call lasts.
func (c *call) Sleep(d time.Duration) {
	c.p.Advance(min(max(0, d), time.Duration(c.DeadlineNS())))
}

// Random fills p from the seeded source.
func (c *call) Random(p []byte) int32 {
	n, _ := c.p.random.Read(p) // never fails
	return int32(n)
}

// Log collects a line.
func (c *call) Log(level int32, line []byte) int32 {
	names := []string{abi.LogDebug: "debug", abi.LogInfo: "info", abi.LogWarn: "warn", abi.LogError: "error"}
	if level < abi.LogDebug || level > abi.LogError {
		return c.fail(abi.BadArgument, pay.ClassPluginFault, "log: unknown level")
	}
	if len(line) > c.logLeft {
		return c.fail(abi.Quota, pay.ClassPluginFault, "log: the call has written too much")
	}
	c.logLeft -= len(line)
	c.p.logs = append(c.p.logs, names[level]+" "+string(line))
	return 0
}

// SpanStart begins a span.
func (c *call) SpanStart([]byte) int32 {
	c.spans++
	return c.spans
}

// SpanEnd ends a span.
func (c *call) SpanEnd(id int32, _ []byte) int32 {
	if id < 1 || id > c.spans {
		return c.fail(abi.BadHandle, pay.ClassPluginFault, "span_end: no such span")
	}
	return 0
}

func give(p, message []byte) int32 {
	copy(p, message)
	return int32(len(message))
}

// setting returns the text of a setting, or "".
func (p *Plugin) setting(name string) string {
	var settings map[string]any
	_ = json.Unmarshal([]byte(p.config.Settings), &settings) // New has checked it
	text, _ := settings[name].(string)
	return text
}
