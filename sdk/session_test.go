package sdk_test

import (
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// service is a provider's login and the one session it takes.
type service struct {
	logins atomic.Int64
	valid  atomic.Int64 // number of the session that is good
}

func (s *service) session() *sdk.Session {
	return &sdk.Session{Name: "cookie", Lifetime: time.Hour, Login: func(*sdk.Host) (string, error) {
		n := s.logins.Add(1)
		s.valid.Store(n)
		return strconv.FormatInt(n, 10), nil
	}}
}

// use runs create, in which the session is used once.
func use(t *testing.T, m *imports, s *sdk.Session, call func(session string) (bool, error)) error {
	t.Helper()
	p := provider{create: func(h *sdk.Host, _ *pay.CreateRequest) (*pay.Result, error) {
		return &pay.Result{Outcome: pay.OutcomeApplied}, s.Do(h, call)
	}}
	if code := sdk.Native(p)(m, int32(pay.OpCreate), 0); code != 0 {
		t.Errorf("code %d", code)
	}
	reply, err := abi.DecodeReply(m.replies[0])
	if err != nil {
		t.Error(err)
	}
	if reply.Err == nil {
		return nil
	}
	return reply.Err
}

// TestSessionSingleFlight lets many calls at once find no session, and later a
// refused one: each time one of them logs in.
func TestSessionSingleFlight(t *testing.T) {
	t.Parallel()
	var s service
	store := newStorage()
	for round := int64(1); round <= 3; round++ {
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() {
				m := &imports{store: store, left: time.Minute}
				err := use(t, m, s.session(), func(session string) (bool, error) {
					return session != strconv.FormatInt(round, 10), nil
				})
				if err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		wg.Wait()
		if n := s.logins.Load(); n != round {
			t.Errorf("round %d: %d logins", round, n)
		}
	}
	if _, locked := store.entries["cookie.lock"]; locked {
		t.Error("the lock was left behind")
	}
}

// TestSessionRefusedTwice shows that a fresh session which is refused ends in an
// error, not in a loop.
func TestSessionRefusedTwice(t *testing.T) {
	t.Parallel()
	var s service
	var tried []string
	m := &imports{store: newStorage(), left: time.Minute}
	err := use(t, m, s.session(), func(session string) (bool, error) {
		tried = append(tried, session)
		return true, errors.New("refused")
	})
	if diff := cmp.Diff([]string{"1", "2"}, tried); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
	if e := pay.AsError(err); e == nil || e.Class != pay.ClassAuth || e.Advice != pay.AdviceOperator {
		t.Errorf("got %v", err)
	}
}

func TestSessionErrors(t *testing.T) {
	t.Parallel()
	lost := &pay.Error{Class: pay.ClassTimeout, Effect: pay.EffectMaybe, Message: "no answer"}
	t.Run("of the call", func(t *testing.T) {
		t.Parallel()
		var s service
		m := &imports{store: newStorage(), left: time.Minute}
		calls := 0
		err := use(t, m, s.session(), func(string) (bool, error) {
			calls++
			return false, lost
		})
		if diff := cmp.Diff(lost, pay.AsError(err)); diff != "" || calls != 1 {
			t.Errorf("%d calls, error (-want +got):\n%s", calls, diff)
		}
	})
	t.Run("of the login", func(t *testing.T) {
		t.Parallel()
		s := &sdk.Session{Name: "cookie", Login: func(*sdk.Host) (string, error) { return "", lost }}
		m := &imports{store: newStorage(), left: time.Minute}
		err := use(t, m, s, func(string) (bool, error) {
			t.Error("called without a session")
			return false, nil
		})
		if diff := cmp.Diff(lost, pay.AsError(err)); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		if len(m.store.entries) != 0 {
			t.Errorf("left behind: %v", m.store.entries)
		}
	})
	t.Run("of waiting", func(t *testing.T) {
		t.Parallel()
		var s service
		m := &imports{store: newStorage(), left: 80 * time.Millisecond}
		m.store.entries["cookie.lock"] = stored{[]byte{1}, 9} // of a call that does not come back
		err := use(t, m, s.session(), func(string) (bool, error) { return false, nil })
		if pay.ClassOf(err) != pay.ClassTimeout || s.logins.Load() != 0 {
			t.Errorf("%d logins, error %v", s.logins.Load(), err)
		}
	})
}
