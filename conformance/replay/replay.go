// Package replay runs plugins against cases: recorded operations, masked, that are
// kept beside a plugin. A case says what a revision sent and what it made of the
// answers; a later revision must do the same, without a provider and without a
// network.
package replay

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/payhost/payhost/host"
)

// Extension is how the files of cases end.
const Extension = ".recording.json"

// Case is one recorded operation that a plugin must do again in the same way.
type Case struct {
	Name      string // "refund-after-a-lost-answer"
	Sentence  string // what it shows
	Path      string // its file
	Recording *host.Recording
}

// Load reads the cases of a folder, in the order of their names: every file that
// ends in [Extension]. A folder without any is no error.
func Load(dir string) ([]Case, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var cases []Case
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), Extension) {
			continue
		}
		c, err := Read(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// Read reads one recording. One that was never made a case of is named by its file.
func Read(path string) (Case, error) {
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return Case{}, err
	}
	r, err := host.DecodeRecording(text)
	if err != nil {
		return Case{}, fmt.Errorf("%s: %w", path, err)
	}
	c := Case{Name: r.Name, Sentence: r.About, Path: path, Recording: r}
	if c.Name == "" {
		c.Name = strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".json"), ".recording")
	}
	if c.Sentence == "" {
		c.Sentence = Sentence(r)
	}
	c.Name, c.Sentence = line(c.Name), line(c.Sentence)
	return c, nil
}

// line keeps a text of a file to one line that does nothing to a terminal.
func line(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '?'
		}
		return c
	}, text)
}

// Run replays the case against a revision and returns the differences, a line each;
// none if the revision does the same. An error is for a case or a revision that
// can't be run at all.
func (c Case) Run(ctx context.Context, source host.Source) ([]string, error) {
	p, err := host.NewReplayer(ctx, source, host.ReplayConfig{})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return c.RunOn(ctx, p)
}

// RunOn is Run on a revision that is loaded already.
func (c Case) RunOn(ctx context.Context, p *host.Replayer) ([]string, error) {
	got, err := p.Replay(ctx, c.Recording)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	return got.Differences, nil
}

var (
	caseName  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,99}$`)
	plainName = regexp.MustCompile(`[^a-z0-9]+`)
)

// ErrName is what is wrong with the name of a case that can't have it.
var ErrName = errors.New("is not of lowercase letters, digits and dashes")

// Save makes a case of a recording: a masked file in dir that is ready to be
// committed. An empty name is made of the operation and its outcome, and an empty
// sentence likewise. A file of the given name that is there already is an error.
func Save(dir, name, sentence string, r *host.Recording) (Case, error) {
	if r.Cut {
		return Case{}, errors.New("recording is cut: it can't be replayed")
	}
	r = r.Mask()
	if sentence == "" {
		sentence = Sentence(r)
	}
	named := name != ""
	if !named {
		name = nameOf(r)
	}
	if !caseName.MatchString(name) {
		return Case{}, fmt.Errorf("name %q %w", name, ErrName)
	}
	r.About = sentence
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // a folder of the repository
		return Case{}, err
	}
	for n, try := 2, name; ; n++ {
		r.Name = try
		path := filepath.Join(dir, try+Extension)
		err := create(path, r.Encode())
		switch {
		case err == nil:
			return Case{Name: try, Sentence: sentence, Path: path, Recording: r}, nil
		case named || !errors.Is(err, fs.ErrExist) || n > 999:
			return Case{}, err
		}
		try = fmt.Sprintf("%s-%d", name, n)
	}
}

func create(path string, text []byte) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // it is masked, and to be committed
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		err = f.Close()
	} else {
		f.Close()
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}

// nameOf names a recording by what was done and what came of it.
func nameOf(r *host.Recording) string {
	words := r.Operation.String() + " " + ending(r)
	return strings.Trim(plainName.ReplaceAllString(strings.ToLower(words), "-"), "-")
}

// ending is a word for what came of a recorded call.
func ending(r *host.Recording) string {
	v := r.Verdict
	switch {
	case v.Result != nil && v.Err != nil:
		return v.Result.Outcome.String() + " " + v.Err.Class.String()
	case v.Result != nil:
		return v.Result.Outcome.String()
	case v.Err != nil:
		return v.Err.Class.String()
	}
	return "answered"
}

// Sentence says what a recording shows: "create: POST /orders 200, then applied."
func Sentence(r *host.Recording) string {
	var steps []string
	for _, s := range r.Sends() {
		steps = append(steps, step(s))
	}
	const most = 6
	if len(steps) > most {
		steps = slices.Insert(steps[:most], most, fmt.Sprintf("%d more", len(steps)-most))
	}
	if len(steps) == 0 {
		steps = []string{"nothing is sent"}
	}
	return r.Operation.String() + ": " + strings.Join(steps, ", ") + ", then " + ending(r) + "."
}

func step(s *host.RecordedSend) string {
	text := s.Request.Method + " " + pathOf(s.Request.URL) + " "
	switch {
	case s.Answer != nil:
		return text + fmt.Sprint(s.Answer.Status)
	case s.Evidence == "":
		return text + "refused"
	}
	return text + strings.ReplaceAll(s.Evidence, "_", " ")
}

// pathOf is a URL without its host and its query.
func pathOf(raw string) string {
	_, rest, found := strings.Cut(raw, "://")
	if !found {
		return raw
	}
	_, path, _ := strings.Cut(rest, "/")
	path, _, _ = strings.Cut(path, "?")
	return "/" + path
}
