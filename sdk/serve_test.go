package sdk_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// call runs one operation natively and returns the code and the reply.
func call(t *testing.T, p sdk.Provider, op pay.Operation, m *imports) (abi.Code, abi.Reply) {
	t.Helper()
	code := abi.Code(sdk.Native(p)(m, int32(op), int32(len(m.input))))
	if len(m.replies) > 1 {
		t.Fatalf("%d replies", len(m.replies))
	}
	if len(m.replies) == 0 {
		return code, abi.Reply{}
	}
	reply, err := abi.DecodeReply(m.replies[0])
	if err != nil {
		t.Fatal(err)
	}
	return code, reply
}

// TestDispatch shows that every operation reaches its own method.
func TestDispatch(t *testing.T) {
	t.Parallel()
	p := whole{provider{
		create: func(*sdk.Host, *pay.CreateRequest) (*pay.Result, error) { return named("create") },
		status: func(_ *sdk.Host, refs []pay.Ref) ([]pay.StatusItem, error) {
			return []pay.StatusItem{{ID: refs[0].ID, Found: pay.FoundObserved}}, nil
		},
	}}
	refs := abi.AppendRefs(nil, []pay.Ref{{ID: "7"}})
	manifest := p.Manifest()
	tests := map[pay.Operation]struct {
		input []byte
		want  abi.Reply
	}{
		pay.OpDescribe:     {nil, abi.Reply{Manifest: abi.AppendManifest(nil, &manifest)}},
		pay.OpCheckConfig:  {nil, abi.Reply{Problems: []pay.Problem{{Field: "settings.a"}}}},
		pay.OpPing:         {nil, abi.Reply{Err: &pay.Error{Class: pay.ClassUnavailable}}},
		pay.OpErrorCatalog: {nil, abi.Reply{Catalog: []pay.CatalogEntry{{Code: "7"}}}},
		pay.OpStatus:       {refs, abi.Reply{Items: []pay.StatusItem{{ID: "7", Found: pay.FoundObserved}}}},
		pay.OpRefundStatus: {refs, abi.Reply{Items: []pay.StatusItem{{ID: "7", Found: pay.FoundNot}}}},
		pay.OpNotification: {
			abi.AppendNotification(nil, &pay.NotificationRequest{}, 1),
			abi.Reply{Notification: &pay.Notification{ProviderRef: "body of the call"}},
		},
	}
	for _, op := range pay.Operations() {
		test, ok := tests[op]
		if !ok { // a writing operation: it answers its own name
			test.want.Result, _ = named(op.String())
		}
		m := &imports{input: test.input, blobs: [][]byte{[]byte("body of the call")}}
		code, reply := call(t, p, op, m)
		if diff := cmp.Diff(test.want, reply); code != abi.OK || diff != "" {
			t.Errorf("%v: code %d (-want +got):\n%s", op, code, diff)
		}
	}
}

func TestUnsupported(t *testing.T) {
	t.Parallel()
	required := map[pay.Operation]bool{
		pay.OpDescribe: true, pay.OpCheckConfig: true, pay.OpCreate: true, pay.OpStatus: true,
	}
	numbers := []int32{-1, 0, 17, 255, 256 + int32(pay.OpCreate), 1 << 30, -1 << 31}
	for _, op := range pay.Operations() {
		if !required[op] {
			numbers = append(numbers, int32(op))
		}
	}
	for _, op := range numbers {
		m := &imports{}
		if code := sdk.Native(provider{})(m, op, 0); abi.Code(code) != abi.Unsupported || len(m.replies) != 0 {
			t.Errorf("operation %d: code %d, %d replies", op, code, len(m.replies))
		}
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	p := provider{create: func(*sdk.Host, *pay.CreateRequest) (*pay.Result, error) {
		t.Error("the method ran")
		return nil, nil
	}}
	for _, size := range []int32{-1, abi.MaxMessage + 1, 1 << 30} {
		m := &imports{}
		if code := sdk.Native(p)(m, int32(pay.OpCreate), size); abi.Code(code) != abi.TooLarge {
			t.Errorf("input of %d bytes: code %d", size, code)
		}
	}
	short := &imports{input: []byte{1}}
	if code := sdk.Native(p)(short, int32(pay.OpCreate), 2); abi.Code(code) != abi.BadArgument {
		t.Errorf("input shorter than it was said to be: code %d", code)
	}
	for _, op := range []pay.Operation{pay.OpCreate, pay.OpStatus, pay.OpRefund, pay.OpNotification} {
		code, reply := call(t, whole{p}, op, &imports{input: []byte{0xff}})
		if code != abi.OK || reply.Err == nil || reply.Err.Class != pay.ClassPluginFault {
			t.Errorf("%v of no message: code %d, %+v", op, code, reply)
		}
	}
}

// TestAnswers covers what a method may return, and may not.
func TestAnswers(t *testing.T) {
	t.Parallel()
	result := &pay.Result{Outcome: pay.OutcomeAccepted, ProviderRef: "p-1"}
	declined := &pay.Error{Class: pay.ClassDeclined, Reason: pay.DeclinedRisk, ProviderCode: "5"}
	var none *pay.Error
	fault := func(message string) abi.Reply {
		return abi.Reply{Err: &pay.Error{Class: pay.ClassPluginFault, Message: message}}
	}
	tests := map[string]struct {
		result *pay.Result
		err    error
		want   abi.Reply
	}{
		"result":           {result, nil, abi.Reply{Result: result}},
		"error":            {nil, declined, abi.Reply{Err: declined}},
		"both":             {result, declined, abi.Reply{Err: declined}},
		"neither":          {nil, nil, fault("method returned neither a result nor an error")},
		"another error":    {nil, errors.New("oh"), fault("oh")},
		"a wrapped error":  {nil, errors.Join(declined), fault("declined (provider code 5)")},
		"an error of none": {result, none, fault("method returned a nil *pay.Error as an error, which is not nil")},
	}
	for name, test := range tests {
		p := provider{create: func(*sdk.Host, *pay.CreateRequest) (*pay.Result, error) {
			return test.result, test.err
		}}
		code, reply := call(t, p, pay.OpCreate, &imports{})
		if diff := cmp.Diff(test.want, reply); code != abi.OK || diff != "" {
			t.Errorf("%s: code %d (-want +got):\n%s", name, code, diff)
		}
	}
}

// silent answers a notification with nothing.
type silent struct{ provider }

func (silent) Notification(*sdk.Host, *pay.NotificationRequest) (*pay.Notification, error) {
	return nil, nil
}

func TestNoNotification(t *testing.T) {
	t.Parallel()
	code, reply := call(t, silent{}, pay.OpNotification, &imports{})
	if code != abi.OK || reply.Err == nil || reply.Err.Class != pay.ClassPluginFault {
		t.Errorf("code %d, %+v", code, reply)
	}
}

// TestReplyTooLarge shows that an answer which does not fit is said to be so,
// rather than left out.
func TestReplyTooLarge(t *testing.T) {
	t.Parallel()
	p := provider{create: func(*sdk.Host, *pay.CreateRequest) (*pay.Result, error) {
		return &pay.Result{Outcome: pay.OutcomeApplied, ProviderMessage: strings.Repeat("x", 1000)}, nil
	}}
	code, reply := call(t, p, pay.OpCreate, &imports{maxLen: 500})
	want := abi.Reply{Err: &pay.Error{
		Class: pay.ClassPluginFault, Message: "create: the answer is larger than a message may be",
	}}
	if diff := cmp.Diff(want, reply); code != abi.OK || diff != "" {
		t.Errorf("code %d (-want +got):\n%s", code, diff)
	}
	if code, _ := call(t, p, pay.OpCreate, &imports{maxLen: 5}); code != abi.TooLarge {
		t.Errorf("not even that fits: code %d", code)
	}
}

// declaring has a manifest of its own.
type declaring struct {
	provider
	ops []pay.Operation
}

func (d declaring) Manifest() pay.Manifest {
	var m pay.Manifest
	for _, op := range d.ops {
		m.Operations = append(m.Operations, pay.OperationSpec{Operation: op})
	}
	return m
}

func (declaring) Ping(*sdk.Host) error { return nil }

func TestMismatch(t *testing.T) {
	t.Parallel()
	good := []pay.Operation{pay.OpDescribe, pay.OpCheckConfig, pay.OpPing, pay.OpCreate, pay.OpStatus}
	if got := sdk.Mismatch(declaring{ops: good}); len(got) != 0 {
		t.Errorf("a good manifest: %q", got)
	}
	got := sdk.Mismatch(declaring{ops: append(good[3:], pay.OpDescribe, pay.OpCheckConfig, pay.OpRefund)})
	want := []string{"has a method for ping, does not declare it", "declares refund, has no method for it"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
