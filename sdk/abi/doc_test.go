package abi_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const docFile = "../../docs/abi.md"

func doc(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(docFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDocMessages holds the message tables of docs/abi.md against the schema.
func TestDocMessages(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- messages: begin -->\n", "<!-- messages: end -->"
	before, rest, ok := strings.Cut(doc(t), begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/abi.md has no place for the messages")
	}
	want := messageTables(schema(t))
	if *update && have != want {
		if err := os.WriteFile(docFile, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		have = want
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("docs/abi.md differs from the schema; run with -update (-schema +doc):\n%s", diff)
	}
}

func messageTables(file protoreflect.FileDescriptor) string {
	var b strings.Builder
	for _, md := range each(file.Messages()) {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| # | field | type | meaning |\n| --- | --- | --- | --- |\n",
			md.Name(), comment(md))
		for _, fd := range each(md.Fields()) {
			kind := typeName(fd)
			if fd.Message() != nil || fd.Enum() != nil {
				kind = "[" + kind + "](#" + strings.ToLower(kind) + ")"
			}
			if fd.IsList() {
				kind = "repeated " + kind
			}
			fmt.Fprintf(&b, "| %d | `%s` | %s | %s |\n", fd.Number(), fd.Name(), kind, cell(fd))
		}
	}
	for _, ed := range each(file.Enums()) {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| # | value | meaning |\n| --- | --- | --- |\n", ed.Name(), comment(ed))
		for _, vd := range each(ed.Values()) {
			fmt.Fprintf(&b, "| %d | `%s` | %s |\n", vd.Number(), vd.Name(), cell(vd))
		}
	}
	return b.String() + "\n"
}

func cell(d protoreflect.Descriptor) string { return strings.ReplaceAll(comment(d), "|", "\\|") }

// TestDocImports holds the signatures of the page against the table of imports,
// names, types and groups.
func TestDocImports(t *testing.T) {
	t.Parallel()
	section := regexp.MustCompile(`(?m)^### (.*)$|^` + "`" + `(\w+)\((.*)\) -> (i32|i64)` + "`$")
	found, group := map[string]string{}, ""
	for _, m := range section.FindAllStringSubmatch(doc(t), -1) {
		if m[1] != "" {
			group = ""
			for _, g := range []string{abi.GroupHTTP, abi.GroupCrypto, abi.GroupStorage} {
				if strings.Contains(m[1], "(group "+g) {
					group = g
				}
			}
			continue
		}
		types := []string{}
		for arg := range strings.SplitSeq(m[3], ", ") {
			if _, typ, ok := strings.Cut(arg, " "); ok {
				types = append(types, typ)
			}
		}
		if m[2] == "digest" {
			group = ""
		}
		found[m[2]] = fmt.Sprintf("(%s) -> %s in %q", strings.Join(types, ", "), m[4], group)
		if m[2] == "digest" {
			group = abi.GroupCrypto
		}
	}
	want := map[string]string{}
	name := map[abi.ValueType]string{abi.I32: "i32", abi.I64: "i64"}
	for _, s := range abi.ImportTable() {
		types := make([]string, len(s.Params))
		for i, p := range s.Params {
			types[i] = name[p]
		}
		want[s.Name] = fmt.Sprintf("(%s) -> %s in %q", strings.Join(types, ", "), name[s.Results[0]], s.Group)
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("docs/abi.md (-code +doc):\n%s", diff)
	}
}

// TestDocTables holds the tables of codes, limits and operations against the code.
func TestDocTables(t *testing.T) {
	t.Parallel()
	text := doc(t)
	for c := abi.OK; c >= abi.Internal; c-- {
		if row := fmt.Sprintf("| %d | %s |", c, c.String()); !strings.Contains(text, row) {
			t.Errorf("docs/abi.md has no code %q", row)
		}
	}
	for what, n := range map[string]int{
		"bytes of one control message":                           abi.MaxMessage,
		"entries of one repeated field":                          abi.MaxItems,
		"entries of all repeated fields of one message together": abi.MaxEntries,
		"bytes of all blobs":                                     abi.MaxBlobs,
		"blobs alive at once":                                    abi.MaxHandles,
		"outbound HTTP calls":                                    abi.MaxCalls,
		"bytes of log lines":                                     abi.MaxLog,
		"bytes of a storage key":                                 abi.MaxKey,
		"bytes of a storage value":                               abi.MaxValue,
	} {
		if row := "| " + what + " | " + strconv.Itoa(n) + " |"; !strings.Contains(text, row) {
			t.Errorf("docs/abi.md has no limit %q", row)
		}
	}
	network := map[pay.OperationKind]string{
		pay.KindPure: "none", pay.KindRead: "reading", pay.KindMoney: "money", pay.KindFiscal: "money",
	}
	for _, op := range pay.Operations() {
		row := fmt.Sprintf(`(?m)^\| %s \| %d \| \w+ \| .* \| %s \|$`, op, op, network[op.Kind()])
		if !regexp.MustCompile(row).MatchString(text) {
			t.Errorf("docs/abi.md has no operation %q", row)
		}
	}
	for _, word := range []string{
		abi.Module, abi.ExportMemory, abi.ExportInit, abi.ExportMarker, abi.ExportCall, abi.ManifestName,
		abi.WASIModule, abi.ConfigBaseURL, abi.DefaultTLSName,
	} {
		if !strings.Contains(text, "`"+word) {
			t.Errorf("docs/abi.md does not name %s", word)
		}
	}
}

// TestDocBytes holds the worked examples against what the codecs write.
func TestDocBytes(t *testing.T) {
	t.Parallel()
	blocks := fences(doc(t), "hex")
	named := func(message, name string) any {
		for _, v := range lifelike()[message] {
			if v.name == name {
				return v.message
			}
		}
		t.Fatalf("no vector %s/%s", message, name)
		return nil
	}
	want := [][]byte{
		abi.AppendCreate(nil, named("CreateRequest", "redirect").(*pay.CreateRequest)),
		abi.AppendReply(nil, named("Reply", "redirect").(*abi.Reply)),
	}
	if len(blocks) != len(want) {
		t.Fatalf("%d worked examples", len(blocks))
	}
	for i, block := range blocks {
		digits := ""
		for line := range strings.Lines(block) {
			code, _, _ := strings.Cut(line, ";")
			digits += strings.Join(strings.Fields(code), "")
		}
		if digits != hex.EncodeToString(want[i]) {
			t.Errorf("example %d says\n%s, the codec writes\n%x", i, digits, want[i])
		}
	}
}

// TestDocLinks follows the links within the page.
func TestDocLinks(t *testing.T) {
	t.Parallel()
	text := doc(t)
	anchors := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		anchor := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		anchor = strings.ReplaceAll(anchor, " ", "-")
		if n := anchors[anchor]; n > 0 {
			anchors[anchor+"-"+strconv.Itoa(n)] = 1
		}
		anchors[anchor]++
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(text, -1) {
		if anchors[m[1]] == 0 {
			t.Errorf("docs/abi.md links to #%s, which is not there", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`\]\((\.\./[^)]*)\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat("../../docs/" + m[1]); err != nil {
			t.Errorf("docs/abi.md links to %s: %v", m[1], err)
		}
	}
}

// fences returns the code blocks of a page whose info string is what was given.
func fences(text, info string) (blocks []string) {
	for _, part := range strings.Split(text, "\n```"+info+"\n")[1:] {
		block, _, _ := strings.Cut(part, "\n```")
		blocks = append(blocks, block+"\n")
	}
	return blocks
}
