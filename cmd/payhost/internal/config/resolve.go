package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// maxValueFile is the largest file that a "file:" value may name, in bytes.
const maxValueFile = 64 << 10

// resolve returns a copy of a configuration tree with every text "env:NAME" and
// "file:PATH" replaced by what it names. Problems carry the path of their field
// and never the value.
func resolve(path string, node any, problems *Errors) any {
	switch v := node.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out[key] = resolve(strings.TrimPrefix(path+"."+key, "."), v[key], problems)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = resolve(path+"."+strconv.Itoa(i), v[i], problems)
		}
		return out
	case string:
		value, err := lookup(v)
		if err != nil {
			*problems = append(*problems, path+": "+err.Error())
		}
		return value
	}
	return node
}

// Value returns a value as it stands in a configuration: a text "env:NAME" or
// "file:PATH" is replaced by what it names.
func Value(text string) (string, error) { return lookup(text) }

func lookup(text string) (string, error) {
	if name, ok := strings.CutPrefix(text, "env:"); ok {
		value, set := os.LookupEnv(name)
		if !set || value == "" {
			return "", fmt.Errorf("environment variable %s is not set", name)
		}
		return value, nil
	}
	path, ok := strings.CutPrefix(text, "file:")
	if !ok {
		return text, nil
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxValueFile {
		return "", fmt.Errorf("file %s is larger than 64 KiB", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return "", fmt.Errorf("file %s: %w", path, err)
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}
