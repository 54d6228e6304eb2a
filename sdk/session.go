package sdk

import (
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// Session is a token or cookie that the plugin gets for itself by a login call.
// It is kept in the connection's storage and shared by all instances: one of them
// logs in, the others wait for it. A session that the provider refuses is renewed
// once per call; a second refusal is an error of class auth, never a loop.
type Session struct {
	Name     string        // storage key
	Lifetime time.Duration // how long to keep it; 0 until it is refused
	// Login gets a new session.
	Login func(h *Host) (string, error)
}

const (
	loginLock = 15 * time.Second      // longer than a login may take
	loginPoll = 50 * time.Millisecond // how often a waiting instance looks
)

// Do runs call with the session, logging in first if there is none. Call reports
// whether the provider refused the session; then the session is renewed and call
// runs once more.
func (s *Session) Do(h *Host, call func(session string) (refused bool, err error)) error {
	value, err := s.current(h, "")
	if err != nil {
		return err
	}
	refused, err := call(value)
	if !refused {
		return err
	}
	if value, err = s.current(h, value); err != nil {
		return err
	}
	if refused, err = call(value); refused {
		return &pay.Error{
			Class: pay.ClassAuth, Message: "provider refused a fresh session", Advice: pay.AdviceOperator,
		}
	}
	return err
}

// current returns the stored session unless it is the refused one, and logs in,
// one instance at a time, if there is no other.
func (s *Session) current(h *Host, refused string) (string, error) {
	for {
		value, _, err := h.Get(s.Name)
		if err == nil && string(value) != refused {
			return string(value), nil
		}
		if err != nil && !IsNotFound(err) {
			return "", err
		}
		version, err := h.Put(s.lock(), []byte{1}, loginLock, Absent)
		if err == nil {
			return s.renew(h, refused, version)
		}
		if !IsConflict(err) {
			return "", err
		}
		if h.TimeLeft() < 2*loginPoll {
			return "", &pay.Error{Class: pay.ClassTimeout, Message: "waited for another call to log in"}
		}
		h.Sleep(loginPoll)
	}
}

// renew logs in under the lock, unless somebody did so just before.
func (s *Session) renew(h *Host, refused string, lock int64) (string, error) {
	defer func() { _ = h.Delete(s.lock(), lock) }() // if it expired, it is another's now
	if value, _, err := h.Get(s.Name); err == nil && string(value) != refused {
		return string(value), nil
	}
	value, err := s.Login(h)
	if err != nil {
		return "", err
	}
	_, err = h.Put(s.Name, []byte(value), s.Lifetime, Any)
	return value, err
}

func (s *Session) lock() string { return s.Name + ".lock" }
