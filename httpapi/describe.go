package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// description is what the API says of itself.
type description struct {
	document []byte // openapi.json
	page     []byte // docs
	style    string // the page's, as Content-Security-Policy names it
}

// describe writes the OpenAPI document and the page for people. It takes longer than
// all else of New, so it is done when somebody asks. It panics for a mistake in this
// package, which every test of the document would see.
func describe(o *huma.OpenAPI) description {
	document, err := json.Marshal(o)
	if err != nil {
		panic("httpapi: openapi document: " + err.Error())
	}
	var page bytes.Buffer
	if err := template.Must(template.New("docs").Parse(pageHTML)).Execute(&page, pageOf(o)); err != nil {
		panic("httpapi: page of the openapi document: " + err.Error())
	}
	sum := sha256.Sum256([]byte(pageCSS))
	return description{document, page.Bytes(), "sha256-" + base64.StdEncoding.EncodeToString(sum[:])}
}

// mendSchemas says what huma's tags can't: which references may be null, and that
// answers may get more fields. What only huma's own errors need is taken out.
func mendSchemas(o *huma.OpenAPI) {
	registry := o.Components.Schemas
	schemas := registry.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	closed := requestSchemas(o)
	for name, s := range schemas {
		if closed[name] {
			continue
		}
		s.AdditionalProperties = nil
		t := registry.TypeFromRef(schemaPrefix + name)
		for i := range t.NumField() {
			f := t.Field(i)
			property, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
			p := s.Properties[property]
			switch {
			case p == nil || f.Type.Kind() != reflect.Pointer || strings.Contains(rest, "omit"):
			case p.Ref != "":
				orNull(s, property)
			default: // huma sees to it, but for bytes
				p.Nullable = true
			}
		}
	}
}

// requestSchemas names the schemas of what is sent to payhost.
func requestSchemas(o *huma.OpenAPI) map[string]bool {
	names := map[string]bool{}
	var walk func(s *huma.Schema)
	walk = func(s *huma.Schema) {
		if s == nil {
			return
		}
		if s.Ref != "" {
			name := strings.TrimPrefix(s.Ref, schemaPrefix)
			if !names[name] {
				names[name] = true
				walk(o.Components.Schemas.SchemaFromRef(s.Ref))
			}
			return
		}
		for _, p := range s.Properties {
			walk(p)
		}
		for _, sub := range s.AnyOf {
			walk(sub)
		}
		walk(s.Items)
	}
	for _, item := range o.Paths {
		if item.Post != nil && item.Post.RequestBody != nil {
			for _, media := range item.Post.RequestBody.Content {
				walk(media.Schema)
			}
		}
	}
	return names
}

// The page for people.

type pageData struct {
	Title, About string
	Style        template.CSS
	Groups       []pageGroup
	Schemas      []pageSchema
}

type pageGroup struct {
	Name       string
	Operations []pageOperation
}

type pageOperation struct {
	ID, Method, Path, Summary, About, Scope, Body, Example string
	Parameters                                             []pageField
	Responses                                              []pageField
}

type pageField struct {
	Name, Kind, About string
	Required          bool
}

type pageSchema struct {
	Name   string
	Fields []pageField
}

func pageOf(o *huma.OpenAPI) pageData {
	data := pageData{Title: o.Info.Title + " " + o.Info.Version, About: o.Info.Description, Style: template.CSS(pageCSS)}
	for _, tag := range o.Tags {
		group := pageGroup{Name: tag.Name}
		for _, path := range sorted(o.Paths) {
			for _, op := range []*huma.Operation{o.Paths[path].Get, o.Paths[path].Post} {
				if op != nil && op.Tags[0] == tag.Name {
					group.Operations = append(group.Operations, pageOperationOf(op))
				}
			}
		}
		data.Groups = append(data.Groups, group)
	}
	schemas := o.Components.Schemas.Map()
	for _, name := range sorted(schemas) {
		s := pageSchema{Name: name}
		for _, property := range sorted(schemas[name].Properties) {
			p := schemas[name].Properties[property]
			s.Fields = append(s.Fields, pageField{property, kindOf(p), p.Description, slices.Contains(schemas[name].Required, property)})
		}
		data.Schemas = append(data.Schemas, s)
	}
	return data
}

func pageOperationOf(op *huma.Operation) pageOperation {
	p := pageOperation{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, About: op.Description}
	for _, need := range op.Security {
		p.Scope = strings.Join(append([]string{"token"}, need["bearer"]...), ", ")
	}
	for _, param := range op.Parameters {
		p.Parameters = append(p.Parameters, pageField{param.Name, param.In + ", " + kindOf(param.Schema), param.Description, param.Required})
	}
	if op.RequestBody != nil {
		for _, media := range sorted(op.RequestBody.Content) {
			content := op.RequestBody.Content[media]
			p.Body = strings.TrimSpace(kindOf(content.Schema) + " " + media)
			if content.Example != nil {
				example, _ := json.MarshalIndent(content.Example, "", "  ") // maps of texts
				p.Example = string(example)
			}
		}
	}
	for _, status := range sorted(op.Responses) {
		kind := ""
		for _, media := range op.Responses[status].Content {
			kind = kindOf(media.Schema)
		}
		p.Responses = append(p.Responses, pageField{Name: status, Kind: kind, About: op.Responses[status].Description})
	}
	return p
}

// kindOf says a schema in a few words.
func kindOf(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return strings.TrimPrefix(s.Ref, schemaPrefix)
	case len(s.AnyOf) > 0:
		var words []string
		for _, sub := range s.AnyOf {
			words = append(words, kindOf(sub))
		}
		return strings.Join(words, " or ")
	case s.Items != nil:
		return "list of " + kindOf(s.Items)
	}
	kind := s.Type
	if s.Format != "" {
		kind += " (" + s.Format + ")"
	}
	if len(s.Enum) > 0 {
		kind = "one of " + list(s.Enum)
	}
	if s.Nullable {
		kind += " or null"
	}
	return kind
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
