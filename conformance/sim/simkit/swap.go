package simkit

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// swapTypes makes valid JSON in which members have another type than they should: numbers become strings,
// strings become objects, objects become numbers, arrays become strings, booleans become numbers. The
// outermost object stays, so that a decoder gets as far as the members. With a field, a dotted path, only
// that member is swapped. What is not JSON is returned as it is.
func swapTypes(body []byte, field string) []byte {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return body
	}
	object, ok := value.(map[string]any)
	switch {
	case !ok:
		value = swap(value)
	case field != "":
		swapMember(object, strings.Split(field, "."))
	default:
		for name, member := range object {
			object[name] = swap(member)
		}
	}
	swapped, err := json.Marshal(value)
	if err != nil {
		return body
	}
	return swapped
}

// swapMember swaps the member at the path; a path that leads nowhere changes nothing.
func swapMember(object map[string]any, path []string) {
	member, ok := object[path[0]]
	if !ok {
		return
	}
	if len(path) == 1 {
		object[path[0]] = swap(member)
		return
	}
	if inner, ok := member.(map[string]any); ok {
		swapMember(inner, path[1:])
	}
}

func swap(value any) any {
	switch v := value.(type) {
	case json.Number:
		return v.String()
	case string:
		return map[string]any{"value": v}
	case bool:
		if v {
			return 1
		}
		return 0
	case map[string]any:
		return len(v)
	case []any:
		return strconv.Itoa(len(v))
	default:
		return []any{}
	}
}
