package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/payhost/payhost/sdk/pay"
)

// settingsSchema checks a connection's settings against the plugin's JSON Schema.
type settingsSchema struct {
	schema *jsonschema.Schema
}

// compileSchema compiles a schema of draft 2020-12; no schema means that there
// are no settings. References outside the schema are refused: a plugin must not
// make the host fetch anything.
func compileSchema(text string) (*settingsSchema, error) {
	if text == "" {
		text = `{"type":"object","additionalProperties":false}`
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, errors.New("is not JSON")
	}
	// An absolute address: one like a file's name would be looked up in the working folder, which need not
	// be there, and its path would stand in errors.
	const address = "payhost:///settings.json"
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(address, doc); err != nil {
		return nil, errors.New("is not a JSON Schema")
	}
	schema, err := compiler.Compile(address)
	if err != nil {
		return nil, errors.New("is not a valid JSON Schema: " + firstLine(err.Error()))
	}
	return &settingsSchema{schema: schema}, nil
}

type noLoader struct{}

// Load refuses every reference that leaves the schema.
func (noLoader) Load(string) (any, error) {
	return nil, errors.New("reference outside the schema")
}

// check returns the settings as compact JSON, or what is wrong with them, each
// problem with the path of its field. Values never stand in a problem: a setting
// may be confidential even if it is no secret.
func (s *settingsSchema) check(settings json.RawMessage) ([]byte, []pay.Problem) {
	if len(bytes.TrimSpace(settings)) == 0 {
		settings = json.RawMessage("{}")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(settings))
	if err != nil {
		return nil, []pay.Problem{{Field: "settings", Message: "is not JSON"}}
	}
	if err := s.schema.Validate(doc); err != nil {
		var invalid *jsonschema.ValidationError
		if !errors.As(err, &invalid) {
			return nil, []pay.Problem{{Field: "settings", Message: "does not fit the plugin's schema"}}
		}
		return nil, problems(invalid)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, settings); err != nil {
		return nil, []pay.Problem{{Field: "settings", Message: "is not JSON"}}
	}
	return compact.Bytes(), nil
}

// problems flattens a validation error into its leaves.
func problems(e *jsonschema.ValidationError) []pay.Problem {
	var list []pay.Problem
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		for _, cause := range e.Causes {
			walk(cause)
		}
		if len(e.Causes) > 0 {
			return
		}
		field := "settings"
		for _, part := range e.InstanceLocation {
			field += "." + part
		}
		switch broken := e.ErrorKind.(type) { // the schema's words name these, and the place would be the object around them
		case *kind.Required:
			for _, name := range broken.Missing {
				list = append(list, pay.Problem{Field: field + "." + name, Message: "is missing"})
			}
		case *kind.AdditionalProperties:
			for _, name := range broken.Properties {
				list = append(list, pay.Problem{Field: field + "." + name, Message: "is no setting of the plugin"})
			}
		default:
			list = append(list, pay.Problem{Field: field, Message: explain(e)})
		}
	}
	walk(e)
	sort.Slice(list, func(i, j int) bool { return list[i].Field < list[j].Field })
	return list
}

// explain says which rule was broken, without the value that broke it.
func explain(e *jsonschema.ValidationError) string {
	path := e.ErrorKind.KeywordPath()
	rule := "schema"
	if len(path) > 0 {
		rule = path[len(path)-1]
	}
	switch rule {
	case "type":
		return e.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	case "enum", "const":
		return "is not one of the allowed values"
	}
	return fmt.Sprintf("does not fit the schema's rule %q", rule)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
