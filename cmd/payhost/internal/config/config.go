// Package config reads payhost's configuration: a YAML file, then the
// environment, then flags. Nothing else in the program reads any of them.
package config

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

// Config is the whole configuration; the names are those of the file.
type Config struct {
	Listen      string                `koanf:"listen"`
	PublicURL   string                `koanf:"public_url"`
	DataDir     string                `koanf:"data_dir"`
	DatabaseURL string                `koanf:"database_url"`
	Log         Log                   `koanf:"log"`
	Auth        Auth                  `koanf:"auth"`
	Plugins     map[string]Plugin     `koanf:"plugins"`
	Connections map[string]Connection `koanf:"connections"`
	Webhooks    []Webhook             `koanf:"webhooks"`
	Limits      Limits                `koanf:"limits"`
	Retention   Retention             `koanf:"retention"`
	Record      Record                `koanf:"record"`
}

// Log says how much is logged and in what form.
type Log struct {
	Level  string `koanf:"level"`  // trace, debug, info, warn, error, off
	Format string `koanf:"format"` // json or text
}

// Auth holds the tokens of the HTTP API.
type Auth struct {
	Tokens []Token `koanf:"tokens"`
}

// Token is one caller of the HTTP API.
type Token struct {
	Name   string   `koanf:"name"`
	Token  string   `koanf:"token"`
	Scopes []string `koanf:"scopes"`
}

// Plugin is where a plugin is, and its digest if it must be that one.
type Plugin struct {
	Path   string `koanf:"path"`
	SHA256 string `koanf:"sha256"`

	Isolation string `koanf:"isolation"` // every_call or never; empty for every_call
}

// Connection is one configured use of a plugin.
type Connection struct {
	Plugin   string            `koanf:"plugin"`
	BaseURL  string            `koanf:"base_url"`
	Settings map[string]any    `koanf:"settings"`
	Secrets  map[string]string `koanf:"secrets"`
	TLS      TLS               `koanf:"tls"`
	Keys     map[string]Key    `koanf:"keys"`
	Egress   Egress            `koanf:"egress"`

	LateSuccess string `koanf:"late_success"` // accept, auto_refund or review; empty for accept
	Rate        int    `koanf:"rate"`         // status calls a second; 0 for the engine's default
}

// TLS names the PEM files of a connection's client identity.
type TLS struct {
	CertFile string `koanf:"client_cert_file"`
	KeyFile  string `koanf:"client_key_file"`
	CAFile   string `koanf:"ca_file"`
}

// Key names the PEM file of a key, or gives a shared secret, and its algorithm.
type Key struct {
	PrivateKeyFile string `koanf:"private_key_file"`
	PublicKeyFile  string `koanf:"public_key_file"`
	Secret         string `koanf:"secret"`
	Alg            string `koanf:"alg"` // one, or several with commas between
}

// Egress is what a connection may reach beyond its base URL over https.
type Egress struct {
	AllowPrivate bool     `koanf:"allow_private"`
	AllowHTTP    bool     `koanf:"allow_http"`
	Hosts        []string `koanf:"hosts"`
}

// Webhook is one receiver of events.
type Webhook struct {
	URL    string   `koanf:"url"`
	Secret string   `koanf:"secret"`
	Events []string `koanf:"events"`
}

// Limits bounds each call of a plugin.
type Limits struct {
	CallTimeout time.Duration `koanf:"call_timeout"`
	Memory      Bytes         `koanf:"memory"`
	Requests    Count         `koanf:"requests"` // calls a second of one token; below zero for any

	PluginMemory Bytes `koanf:"plugin_memory"` // of all instances of a plugin; 0 for the library's default
	Instances    Count `koanf:"instances"`     // of a plugin at once; 0 for the library's default

	Backoff time.Duration `koanf:"backoff"` // longest wait of a plugin whose calls keep failing; 0 for the library's default
}

// Retention says how long things are kept; zero for the engine's defaults.
type Retention struct {
	Keys          Period `koanf:"keys"`
	Events        Period `koanf:"events"`
	Notifications Period `koanf:"notifications"`
	Requests      Period `koanf:"requests"`
}

// Record says which operations are recorded, masked, and where; nothing is without a
// folder.
type Record struct {
	Dir         string   `koanf:"dir"`
	Connections []string `koanf:"connections"` // empty for all
	Operations  []string `koanf:"operations"`  // empty for all that write
	Keep        Count    `koanf:"keep"`        // how many recordings; see Kept
}

// Kept is how many recordings are kept: 1000 if the file does not say.
func (r Record) Kept() int {
	if r.Keep == 0 {
		return 1000
	}
	return int(r.Keep)
}

// Period is a duration; in the file a text such as "36h" or "400d".
type Period time.Duration

// UnmarshalText reads a period.
func (p *Period) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		*p = Period(time.Duration(n) * 24 * time.Hour)
		if err == nil {
			return nil
		}
	} else if d, err := time.ParseDuration(string(text)); err == nil && d >= 0 {
		*p = Period(d)
		return nil
	}
	return fmt.Errorf("%q is not a period such as 36h or 400d", text)
}

// Bytes is a size; in the file a number or a text such as "64MiB".
type Bytes int64

// UnmarshalText reads a size.
func (b *Bytes) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n > 1<<62 {
		return fmt.Errorf("%q is not a size such as 64MiB", text)
	}
	*b = Bytes(n)
	return nil
}

// Count is a whole number; in the environment a text.
type Count int

// UnmarshalText reads a number.
func (c *Count) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a whole number", text)
	}
	*c = Count(n)
	return nil
}

// Errors lists everything that is wrong with a configuration, each with the path
// of its field.
type Errors []string

// Error returns one problem a line.
func (e Errors) Error() string { return strings.Join(e, "\n") }

func defaults() map[string]any {
	return map[string]any{
		"listen": "127.0.0.1:8080", "data_dir": "./data", "log.level": "info", "log.format": "json",
		"limits.call_timeout": "10s", "limits.memory": "64MiB",
		"limits.requests": 500,
	}
}

// environment maps variables to keys. Only these are read, so that a variable
// that the file names as a value, such as PAYHOST_TOKEN, is not taken for a key.
func environment() map[string]string {
	return map[string]string{
		"PAYHOST_LISTEN": "listen", "PAYHOST_PUBLIC_URL": "public_url", "PAYHOST_DATA_DIR": "data_dir",
		"PAYHOST_DATABASE_URL": "database_url", "PAYHOST_LOG_LEVEL": "log.level",
		"PAYHOST_LOG_FORMAT": "log.format", "PAYHOST_LIMITS_CALL_TIMEOUT": "limits.call_timeout",
		"PAYHOST_LIMITS_MEMORY": "limits.memory", "PAYHOST_LIMITS_REQUESTS": "limits.requests",
	}
}

// Load reads the file at path, the environment and the flags that were given, by
// their keys, in this order; the later wins. Values "env:NAME" and "file:PATH"
// are replaced by what they name. The error is of type [Errors] when the content
// is at fault.
func Load(path string, flags map[string]any) (*Config, error) {
	k := koanf.New(".")
	if err := k.Load(confmap.Provider(defaults(), "."), nil); err != nil {
		return nil, err
	}
	written := koanf.New(".")
	if err := written.Load(file.Provider(path), yaml.Parser()); err != nil {
		return nil, Errors{"config file: " + unread(err)}
	}
	forgetEmpty(written)
	if err := k.Merge(written); err != nil {
		return nil, err
	}
	env := map[string]any{}
	for variable, key := range environment() {
		if value, ok := os.LookupEnv(variable); ok {
			env[key] = value
		}
	}
	for _, layer := range []map[string]any{env, flags} {
		if err := k.Load(confmap.Provider(layer, "."), nil); err != nil {
			return nil, err
		}
	}
	return decode(k.Raw())
}

// unread is what is wrong with a file, without what stands in it: it may be a secret's file
// that was given by mistake.
func unread(err error) string {
	text := err.Error()
	if strings.Contains(text, " into map[") {
		return "holds no keys with values"
	}
	return regexp.MustCompile("`[^`]*`").ReplaceAllString(text, "a value")
}

// forgetEmpty takes out what has a default and stands in the file without a value, such
// as a section whose lines are all comments: it keeps its default.
func forgetEmpty(k *koanf.Koanf) {
	for key := range defaults() {
		section, _, _ := strings.Cut(key, ".")
		for _, path := range []string{section, key} {
			if k.Get(path) == nil {
				k.Delete(path)
			}
		}
	}
}

// number refuses a number that would not be taken for what was meant: where a unit is
// missing it would be one of nanoseconds, and a fraction would be cut off.
func number(from, to reflect.Type, data any) (any, error) {
	fraction := from.Kind() == reflect.Float64 && math.Trunc(data.(float64)) != data
	switch {
	case from.Kind() == reflect.String || reflect.ValueOf(data).IsZero():
	case to == reflect.TypeFor[time.Duration]():
		return nil, fmt.Errorf("%v is not a duration such as 10s", data)
	case to == reflect.TypeFor[Period]():
		return nil, fmt.Errorf("%v is not a period such as 36h or 400d", data)
	case fraction && (to.Kind() == reflect.Int || to.Kind() == reflect.Int64):
		return nil, fmt.Errorf("%v is not a whole number", data)
	}
	return data, nil
}

func decode(raw map[string]any) (*Config, error) {
	var problems Errors
	tree, _ := resolve("", raw, &problems).(map[string]any)
	var c Config
	var meta mapstructure.Metadata
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		TagName: "koanf", Result: &c, Metadata: &meta, WeaklyTypedInput: false,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			number, mapstructure.StringToTimeDurationHookFunc(), mapstructure.TextUnmarshallerHookFunc()),
	})
	if err != nil {
		return nil, err
	}
	if err := decoder.Decode(tree); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "decoding failed") {
				problems = append(problems, undecoded(line))
			}
		}
	}
	slices.Sort(meta.Unused)
	for _, key := range meta.Unused {
		problems = append(problems, dotted(key)+": unknown key")
	}
	if len(problems) == 0 { // what is missing already need not be told twice
		problems = c.problems()
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return &c, nil
}

// undecoded turns mapstructure's "'limits.memory' is no size" into "limits.memory: is no
// size".
func undecoded(line string) string {
	path, wrong, ok := strings.Cut(strings.TrimPrefix(line, "'"), "' ")
	switch {
	case !ok:
		return dotted(line)
	case strings.HasPrefix(wrong, "time: "): // of time.ParseDuration, without the text
		wrong = "is not a duration such as 10s"
	}
	return dotted(path) + ": " + wrong
}

// dotted turns mapstructure's "connections[a].b" into "connections.a.b".
func dotted(path string) string {
	return strings.NewReplacer("[", ".", "]", "", "'", "").Replace(path)
}
