package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/conformance/replay"
	"github.com/payhost/payhost/host"
)

// newReplay is `payhost conformance replay`.
func newReplay(out *output) *cobra.Command {
	var config host.ReplayConfig
	c := &cobra.Command{
		Use:   "replay PLUGIN.wasm RECORDING.json…",
		Short: "Run a plugin against recorded operations, and show what it does otherwise",
		Long: `Replay runs each recorded operation with the plugin, with no network, storage or keys: every answer comes from
the recording. It compares the requests, what was stored, the reply and payhost's verdict. It exits 1 if anything differs, or
can't be replayed. Recordings are what serve writes (record, see docs/operations.md), or cases made of them.`,
		Example: `  payhost conformance replay rahmet.wasm recordings/*.json
  payhost conformance replay rahmet.wasm plugins/rahmet/testdata/cases/*.recording.json --output json`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := replayAll(cmd.Context(), config, args[0], args[1:])
			if err != nil {
				return err
			}
			return out.replayed(found)
		},
	}
	c.Flags().StringVar(&config.CacheDir, "cache", "", "where to keep the compiled plugin between runs; empty for no cache")
	return c
}

// replayedView is what became of one recording.
type replayedView struct {
	File        string   `json:"file"`
	Name        string   `json:"name"`
	Sentence    string   `json:"sentence"`
	Same        bool     `json:"same"`
	Differences []string `json:"differences,omitempty"`
	Error       string   `json:"error,omitempty"` // why it can't be replayed
}

func replayAll(ctx context.Context, config host.ReplayConfig, plugin string, files []string) ([]replayedView, error) {
	p, err := host.NewReplayer(ctx, host.Source{Path: plugin}, config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", plugin, err)
	}
	defer p.Close()
	found := make([]replayedView, 0, len(files))
	for _, file := range files {
		v := replayedView{File: file}
		c, err := replay.Read(file)
		if err == nil {
			v.Name, v.Sentence = c.Name, c.Sentence
			v.Differences, err = c.RunOn(ctx, p)
		}
		if err != nil {
			v.Error = err.Error()
		}
		v.Same = err == nil && len(v.Differences) == 0
		found = append(found, v)
	}
	return found, nil
}

// replayed prints what became of the recordings and reports whether all are the
// same.
func (o *output) replayed(list []replayedView) error {
	differ := 0
	for _, v := range list {
		if !v.Same {
			differ++
		}
	}
	if o.format == "json" {
		if err := o.json(list); err != nil {
			return err
		}
	} else {
		for _, v := range list {
			switch {
			case v.Same:
				fmt.Fprintf(o.stdout, "same     %s\n", v.File)
			case v.Error != "":
				fmt.Fprintf(o.stdout, "FAILED   %s\n         %s\n", v.File, v.Error)
			default:
				fmt.Fprintf(o.stdout, "DIFFERS  %s\n         %s\n", v.File, v.Sentence)
				for _, line := range v.Differences {
					fmt.Fprintf(o.stdout, "  %s\n", line)
				}
			}
		}
		fmt.Fprintf(o.stdout, "%d of %d the same\n", len(list)-differ, len(list))
	}
	if differ > 0 {
		return errReported
	}
	return nil
}

// newCase is `payhost conformance case`.
func newCase(out *output) *cobra.Command {
	var dir, name, sentence string
	c := &cobra.Command{
		Use:   "case RECORDING.json --out DIR",
		Short: "Make a case of a recorded operation, to be kept beside a plugin",
		Long: `Case writes a recording into a folder under a name and with a sentence, masked, ready to be committed. conformance
replay runs it, and so does package conformance/replay in a Go test. Read it before you commit it: names of people that stand in
free text can't be known.`,
		Example: `  payhost conformance case recordings/20260115T100000.000-rahmet-main-create-1.json --out plugins/rahmet/testdata/cases
  payhost conformance case r.json --out cases --name refund-after-a-lost-answer`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if dir == "" {
				return &usageError{errors.New("--out is missing")}
			}
			from, err := replay.Read(args[0])
			if err != nil {
				return err
			}
			made, err := replay.Save(dir, name, sentence, from.Recording)
			switch {
			case errors.Is(err, replay.ErrName):
				return &usageError{fmt.Errorf("--name: %w", err)}
			case err != nil:
				return err
			}
			return out.made(made)
		},
	}
	c.Flags().StringVar(&dir, "out", "", "the folder of the cases")
	c.Flags().StringVar(&name, "name", "", "lowercase letters, digits and dashes (default: by the operation and its outcome)")
	c.Flags().StringVar(&sentence, "sentence", "", "what the case shows (default: what was sent and what came of it)")
	return c
}

// made tells of a case that was written.
func (o *output) made(c replay.Case) error {
	if o.format == "json" {
		return o.json(map[string]string{"file": c.Path, "name": c.Name, "sentence": c.Sentence})
	}
	_, err := fmt.Fprintf(o.stdout, "%s\n  %s\n", c.Path, c.Sentence)
	return err
}
