package httpapi

import (
	"bytes"
	"context"
	"net/http"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

const tagPlugins = "Plugins"

type pluginPath struct {
	Name string `path:"name" doc:"Name of the plugin" example:"rahmet"`
}

func (a *API) servePlugins() {
	read(a, route{
		id: "list-plugins", method: http.MethodGet, path: "/v1/plugins", tag: tagPlugins, scope: ScopeAdmin,
		fails: []int{422}, summary: "List plugins",
	}, a.listPlugins)
	a.servePush()
	read(a, route{
		id: "list-revisions", method: http.MethodGet, path: "/v1/plugins/{name}/revisions", tag: tagPlugins, scope: ScopeAdmin,
		fails: []int{404, 422}, summary: "List a plugin's revisions",
		about: "And what was put in place, by whom, what was lost by it, and whether it was forced.",
	}, a.listRevisions)
	write(a, route{
		id: "activate-revision", method: http.MethodPost, path: "/v1/plugins/{name}/activate", tag: tagPlugins, scope: ScopeAdmin,
		fails: []int{404, 409}, summary: "Put a revision in place",
		about: "It is built beside the old one and swapped in while calls go on; every operation ends on the revision that began it. " +
			"An error leaves the old one in place. A revision that lacks what payments, refunds or receipts under way need is refused " +
			"(409, `state_conflict`): the detail says what is needed, by how many and on which connections. Let them end first, or insist " +
			"with `force`. What is lost and not needed stands in `lost`. With `canary_percent` below 100 it runs beside the one in place, for " +
			"that share of the payments, those that are there already too: the payment's id says which, so all calls about one come to one " +
			"revision, and a larger share takes none away. Activate either of the two, or roll back, and the canary ends.",
		example: map[string]any{"digest": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
	}, a.activate)
	write(a, route{
		id: "rollback-plugin", method: http.MethodPost, path: "/v1/plugins/{name}/rollback", tag: tagPlugins, scope: ScopeAdmin,
		optional: true, fails: []int{404, 409}, summary: "End a canary, or go back to the revision before",
		about: "The body may be left out. A revision that lacks what is under way needs is refused without `force`, as by activate.",
	}, a.rollback)
}

// servePush registers the upload. Its body is no JSON, so it is not a write.
func (a *API) servePush() {
	rt := route{
		id: "push-revision", method: http.MethodPost, path: "/v1/plugins/{name}/revisions", tag: tagPlugins, scope: ScopeAdmin,
		status: http.StatusCreated, writes: true, takes: []string{"application/wasm", "application/octet-stream"},
		most: a.config.Limits.Plugin, fails: []int{404, 409, 422}, summary: "Upload a revision",
		about: "The body is the module (`.wasm`). It is compiled and described first: one that would not load is refused and nothing " +
			"is stored. Uploading the same again does nothing. It is not put in place by this: see activate.",
	}
	register(a, &rt, func(ctx context.Context, in *pluginPath) (*done[revision], error) {
		x := exchangeOf(ctx)
		if err := a.plugins(in.Name); err != nil {
			return nil, err
		}
		if !bytes.HasPrefix(x.body, []byte("\x00asm")) {
			return nil, invalid(http.StatusUnprocessableEntity, FieldError{"", "body is not a WebAssembly module"})
		}
		r, err := a.config.Plugins.Push(detached(ctx), x.caller, in.Name, x.body)
		if err != nil {
			return nil, theirs(err)
		}
		return &done[revision]{Status: http.StatusCreated, Body: viewRevision(r, a.active(in.Name) == r.Digest)}, nil
	})
}

func (a *API) listPlugins(context.Context, *exchange, *struct{}) (*found[pluginList], error) {
	if a.config.Plugins == nil {
		return nil, errNoPlugins
	}
	out := pluginList{Plugins: []plugin{}}
	for _, p := range a.config.Plugins.List() {
		out.Plugins = append(out.Plugins, viewPlugin(p))
	}
	return &found[pluginList]{out}, nil
}

func (a *API) listRevisions(ctx context.Context, _ *exchange, in *pluginPath) (*found[revisionList], error) {
	if err := a.plugins(in.Name); err != nil {
		return nil, err
	}
	list, err := a.config.Plugins.Revisions(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	past, err := a.config.Plugins.Activations(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	out := revisionList{Revisions: make([]revision, 0, len(list)), Activations: make([]activated, 0, len(past))}
	for _, act := range past {
		out.Activations = append(out.Activations, viewActivation(act))
	}
	active := a.active(in.Name)
	for _, r := range list {
		out.Revisions = append(out.Revisions, viewRevision(r, r.Digest == active))
	}
	return &found[revisionList]{out}, nil
}

func (a *API) activate(ctx context.Context, x *exchange, in *pluginPath, body *activation) (*found[activated], error) {
	if err := a.plugins(in.Name); err != nil {
		return nil, err
	}
	var act store.Activation
	var err error
	if percent := body.CanaryPercent; percent == nil || *percent == 100 {
		act, err = a.config.Plugins.Activate(ctx, x.caller, in.Name, body.Digest, body.Force)
	} else {
		act, err = a.config.Plugins.Canary(ctx, x.caller, in.Name, body.Digest, int(*percent), body.Force)
	}
	if err != nil {
		return nil, theirs(err)
	}
	return &found[activated]{viewActivation(act)}, nil
}

func (a *API) rollback(ctx context.Context, x *exchange, in *pluginPath, body *rollback) (*found[activated], error) {
	if err := a.plugins(in.Name); err != nil {
		return nil, err
	}
	act, err := a.config.Plugins.Rollback(ctx, x.caller, in.Name, body.Force)
	if err != nil {
		return nil, theirs(err)
	}
	return &found[activated]{viewActivation(act)}, nil
}

// plugins says why nothing can be done about a plugin of that name.
func (a *API) plugins(name string) error {
	switch {
	case a.config.Plugins == nil:
		return errNoPlugins
	case !isName(name):
		return notFound("no such plugin")
	}
	return nil
}

// active returns the digest of the revision in use, "" if there is none.
func (a *API) active(name string) string {
	for _, p := range a.config.Plugins.List() {
		if p.Name == name {
			return p.Digest
		}
	}
	return ""
}

func viewPlugin(p payments.PluginInfo) plugin {
	v := plugin{Name: p.Name, ID: p.ID, Version: p.Version, Digest: p.Digest, Problem: text(p.Problem)}
	if c := p.Canary; c != nil {
		v.Canary = &canary{c.Version, c.Digest, c.Percent}
	}
	return v
}

// theirs makes a fault of the module, or of settings that it does not accept, the
// request's fault: it asked for that module.
func theirs(err error) error {
	class := pay.ClassOf(err)
	if class != pay.ClassPluginFault && class != pay.ClassConfig {
		return err
	}
	p := problemOf(err, false)
	p.Status, p.Effect, p.Advice = http.StatusUnprocessableEntity, pay.EffectNone.String(), pay.AdviceFix.String()
	return p
}
