package daemon

import (
	"encoding/json"
	"io"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/abi"
)

// Logger returns the logger that a configuration asks for.
func Logger(c *config.Config, w io.Writer) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{
		Name: "payhost", Level: hclog.LevelFromString(c.Log.Level), JSONFormat: c.Log.Format == "json", Output: w,
	})
}

// HostConfig turns the file's configuration into the library's.
func HostConfig(c *config.Config, log hclog.Logger) host.Config {
	return host.Config{
		CacheDir:    filepath.Join(c.DataDir, "cache"),
		RevisionDir: filepath.Join(c.DataDir, "revisions"),
		Logger:      log,
		Isolation:   func(plugin string) host.Isolation { return isolation(c.Plugins, plugin) },
		Limits: host.Limits{
			CallTimeout: c.Limits.CallTimeout, MemoryBytes: int64(c.Limits.Memory),
			PluginBytes: int64(c.Limits.PluginMemory), Instances: int(c.Limits.Instances), Backoff: c.Limits.Backoff,
		},
	}
}

// isolation is what a checked configuration says of a plugin.
func isolation(plugins map[string]config.Plugin, name string) host.Isolation {
	mode, _ := host.ParseIsolation(plugins[name].Isolation)
	return mode
}

// ConnectionConfig turns one connection of the file into the library's.
func ConnectionConfig(name string, c config.Connection) (host.ConnectionConfig, error) {
	out := host.ConnectionConfig{
		Name: name, Plugin: c.Plugin, BaseURL: c.BaseURL,
		Secrets: map[string]vault.Secret{}, Keys: map[string]vault.KeyConfig{}, TLS: map[string]vault.IdentityConfig{},
		Egress: host.Grant{
			AllowPrivate: c.Egress.AllowPrivate, AllowHTTP: c.Egress.AllowHTTP, Hosts: c.Egress.Hosts,
		},
	}
	if c.Settings != nil {
		settings, err := json.Marshal(c.Settings)
		if err != nil {
			return out, err
		}
		out.Settings = settings
	}
	for secret, value := range c.Secrets {
		out.Secrets[secret] = vault.NewSecret(value)
	}
	for key, k := range c.Keys {
		out.Keys[key] = vault.KeyConfig{
			PrivateKeyFile: k.PrivateKeyFile, PublicKeyFile: k.PublicKeyFile, Secret: vault.NewSecret(k.Secret),
			Algorithms: algorithms(k.Alg),
		}
	}
	if c.TLS != (config.TLS{}) {
		out.TLS[abi.DefaultTLSName] = vault.IdentityConfig{
			CertFile: c.TLS.CertFile, KeyFile: c.TLS.KeyFile, CAFile: c.TLS.CAFile,
		}
	}
	return out, nil
}

func algorithms(list string) []vault.Algorithm {
	var out []vault.Algorithm
	for alg := range strings.SplitSeq(list, ",") {
		if alg = strings.TrimSpace(alg); alg != "" {
			out = append(out, vault.Algorithm(alg))
		}
	}
	return out
}
