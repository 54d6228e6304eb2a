package demo

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
	"github.com/payhost/payhost/cmd/payhost/internal/config"
	"github.com/payhost/payhost/cmd/payhost/internal/daemon"
)

// Stage is a payhost that runs, the simulators of its providers, and a receiver of
// its events.
type Stage struct {
	Token  string
	Scenes []*Scene

	scratch  string
	receiver *receiver
	daemon   *daemon.Daemon
	stop     context.CancelFunc
	ran      chan error
}

// Start builds the stage. Close it when done.
func Start(ctx context.Context, o Options) (*Stage, error) {
	s := &Stage{Token: cmp.Or(o.Token, "demo-"+rand.Text())}
	if err := s.start(ctx, &o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Stage) start(ctx context.Context, o *Options) error {
	var err error
	if s.scratch, err = os.MkdirTemp("", "payhost-demo-"); err != nil {
		return err
	}
	for _, name := range Providers() {
		if o.wanted(name) {
			scene, err := openScene(name, s.scratch)
			if err != nil {
				return err
			}
			s.Scenes = append(s.Scenes, scene)
		}
	}
	if s.receiver, err = newReceiver(ctx, o.Event); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cmp.Or(o.Listen, "127.0.0.1:0"))
	if err != nil {
		return err
	}
	s.daemon, err = daemon.New(ctx, daemon.Options{
		Config: s.config(o, listener.Addr().String()), Logger: o.Logger, Sources: o.Sources, CacheDir: o.CacheDir,
		Listener: listener,
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop, s.ran = stop, make(chan error, 1)
	go func() { s.ran <- s.daemon.Run(running) }()
	return nil
}

// config is the configuration that a person would write for the simulators.
func (s *Stage) config(o *Options, address string) *config.Config {
	c := &config.Config{
		Listen: address, PublicURL: "http://" + address, DataDir: cmp.Or(o.DataDir, filepath.Join(s.scratch, "data")),
		Log: config.Log{Level: "info", Format: "text"},
		Auth: config.Auth{Tokens: []config.Token{
			{Name: "demo", Token: s.Token, Scopes: []string{"payments", "admin"}},
		}},
		Plugins: map[string]config.Plugin{}, Connections: map[string]config.Connection{},
		Webhooks: []config.Webhook{{URL: s.receiver.url, Secret: s.receiver.secret, Events: []string{"*"}}},
		Limits:   config.Limits{CallTimeout: 10 * time.Second, Memory: 64 << 20},
	}
	for _, scene := range s.Scenes {
		c.Plugins[scene.Provider] = config.Plugin{Path: filepath.Join(o.PluginDir, scene.Provider+".wasm")}
		c.Connections[scene.Connection] = scene.config
	}
	return c
}

// URL is where payhost's API is.
func (s *Stage) URL() string { return s.daemon.URL() }

// Wait returns when ctx ends, or with an error if payhost ends by itself.
func (s *Stage) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.ran:
		s.ran <- err
		return err
	}
}

// client asks payhost as the demonstration's caller.
func (s *Stage) client() client.Client { return client.Client{URL: s.URL(), Token: s.Token} }

// Close stops payhost first, then what it talks to.
func (s *Stage) Close() error {
	var err error
	if s.stop != nil {
		s.stop()
		err = <-s.ran
	}
	if s.receiver != nil {
		s.receiver.close()
	}
	for _, scene := range s.Scenes {
		scene.stop()
	}
	return errors.Join(err, os.RemoveAll(s.scratch))
}
