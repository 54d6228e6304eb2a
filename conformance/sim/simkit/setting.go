package simkit

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Setting is one doubt about the provider that a test can decide. Its value is text.
type Setting struct {
	// Name is snake_case.
	Name string
	// Default must be allowed.
	Default string
	// Allowed are the words it may hold. When it is nil, Check decides.
	Allowed []string
	// Check refuses a bad value when Allowed is nil. Nil takes any text.
	Check func(value string) error
	// About says in one line what it decides.
	About string
}

// settingState is how the control API shows a setting.
type settingState struct {
	Name    string   `json:"name"`
	Value   string   `json:"value"`
	Default string   `json:"default"`
	Allowed []string `json:"allowed,omitempty"`
	About   string   `json:"about"`
}

// settingList holds the declared settings and their values.
type settingList struct {
	mu       sync.RWMutex
	declared []Setting
	values   map[string]string
}

func newSettingList(declared []Setting) *settingList {
	l := &settingList{declared: slices.Clone(declared)}
	for _, s := range declared {
		if err := s.check(s.Default); err != nil {
			panic("simkit: default of setting " + err.Error())
		}
	}
	l.reset()
	return l
}

// Setting is the value of a declared setting. It panics on a name that was never declared: a mistake in the
// simulator.
func (k *Kit) Setting(name string) string {
	k.settings.mu.RLock()
	defer k.settings.mu.RUnlock()
	value, ok := k.settings.values[name]
	if !ok {
		panic("simkit: setting " + name + " is not declared")
	}
	return value
}

// Set changes one setting. It returns a *[FieldError] that names the setting.
func (k *Kit) Set(name, value string) error { return k.settings.set(map[string]string{name: value}) }

// set changes all of the values or, when one is bad, none.
func (l *settingList) set(values map[string]string) error {
	for name, value := range values {
		i := slices.IndexFunc(l.declared, func(s Setting) bool { return s.Name == name })
		if i < 0 {
			return &FieldError{Field: name, Message: "no such setting"}
		}
		if err := l.declared[i].check(value); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, value := range values {
		l.values[name] = value
	}
	return nil
}

func (l *settingList) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.values = make(map[string]string, len(l.declared))
	for _, s := range l.declared {
		l.values[s.Name] = s.Default
	}
}

func (l *settingList) states() []settingState {
	l.mu.RLock()
	defer l.mu.RUnlock()
	states := make([]settingState, 0, len(l.declared))
	for _, s := range l.declared {
		states = append(states, settingState{s.Name, l.values[s.Name], s.Default, s.Allowed, s.About})
	}
	return states
}

func (s Setting) check(value string) error {
	switch {
	case s.Allowed != nil && !slices.Contains(s.Allowed, value):
		return &FieldError{Field: s.Name, Message: fmt.Sprintf("%q is not one of %q", value, s.Allowed)}
	case s.Allowed == nil && s.Check != nil:
		if err := s.Check(value); err != nil {
			return &FieldError{Field: s.Name, Message: err.Error()}
		}
	}
	return nil
}

// CheckDuration takes a Go duration that is not negative.
func CheckDuration(value string) error {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a duration such as 90s", value)
	}
	return nil
}

// CheckPercent takes a whole number from 0 to 100.
func CheckPercent(value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 100 {
		return fmt.Errorf("%q is not a whole number from 0 to 100", value)
	}
	return nil
}

// DurationSetting is the value of a setting that CheckDuration guards.
func (k *Kit) DurationSetting(name string) time.Duration {
	d, err := time.ParseDuration(k.Setting(name))
	if err != nil {
		panic("simkit: setting " + name + " is not a duration")
	}
	return d
}

// PercentSetting is the value of a setting that CheckPercent guards.
func (k *Kit) PercentSetting(name string) int64 {
	n, err := strconv.Atoi(k.Setting(name))
	if err != nil {
		panic("simkit: setting " + name + " is not a number")
	}
	return int64(n)
}
