package host

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/sdk/pay"
)

// KeySource is what a provider key is made from.
type KeySource struct {
	Key      string // the operation's own key: the same for every send of it
	OrderID  string // the merchant's order id
	Sequence int    // 1 for the first operation of its kind on the payment; 0 counts as 1
}

// keyLifetime is how long a stored provider key is kept: as long as a refund may
// come.
const keyLifetime = 400 * 24 * time.Hour

// ProviderKey returns the key that an operation sends to the provider, in the
// form that the plugin's manifest asks for: "" if it sends none. The same source
// always gives the same key; one that holds a counter is stored before it is
// returned. Errors are of class invalid_request (no operation key, or an order id
// that does not fit), config and host_fault.
func (c *Connection) ProviderKey(ctx context.Context, op pay.Operation, from KeySource) (string, error) {
	b, err := c.acquire()
	if err != nil {
		return "", err
	}
	defer b.release()
	spec, ok := b.revision.manifest.Operation(op)
	if !ok {
		return "", unsupported(op)
	}
	return b.providerKey(ctx, spec, from)
}

func (b *binding) providerKey(ctx context.Context, spec pay.OperationSpec, from KeySource) (string, error) {
	if spec.KeyForm == pay.KeyNone {
		return "", nil
	}
	if from.Key == "" {
		return "", invalid("key", "is empty: an operation that writes needs a key of its own")
	}
	most := mostKey(spec)
	switch spec.KeyForm {
	case pay.KeyUUID:
		return uuidKey(b.seed(spec, from)), nil
	case pay.KeyOrder:
		return orderKey(from, most)
	case pay.KeyCounter:
		return b.counterKey(ctx, spec, from)
	}
	return textKey(from.Key, b.seed(spec, from), most), nil
}

// mostKey is how long a provider key may be, in bytes.
func mostKey(spec pay.OperationSpec) int {
	if spec.KeyMaxLen == 0 {
		return 64
	}
	return spec.KeyMaxLen
}

// seed is unique to the connection, the operation and its key.
func (b *binding) seed(spec pay.OperationSpec, from KeySource) [32]byte {
	return sha256.Sum256([]byte(b.name + "\x00" + spec.Operation.String() + "\x00" + from.Key))
}

// uuidKey shapes a seed as a UUID of version 4.
func uuidKey(seed [32]byte) string {
	u := seed[:16]
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	h := hex.EncodeToString(u)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// textKey keeps a key that is short and plain, since people search for it, and
// otherwise makes one of the seed.
func textKey(key string, seed [32]byte, most int) string {
	plain := len(key) <= most
	for _, c := range []byte(key) {
		plain = plain && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_')
	}
	if plain {
		return key
	}
	text := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed[:]))
	return text[:min(most, len(text))]
}

func orderKey(from KeySource, most int) (string, error) {
	key := from.OrderID
	if from.Sequence > 1 {
		key += "-" + strconv.Itoa(from.Sequence)
	}
	if from.OrderID == "" || len(key) > most {
		return "", invalid("order_id", "must be 1 to "+strconv.Itoa(most)+" characters for this provider")
	}
	return key, nil
}

// counterKey returns the key stored for the operation, or makes and stores one:
// "<setting>-<unix seconds>-<counter>". It is durable before anybody sees it, so
// a till that restarts goes on with the same one.
func (b *binding) counterKey(ctx context.Context, spec pay.OperationSpec, from KeySource) (string, error) {
	store := b.host.config.Storage
	seed := b.seed(spec, from)
	// Each key has a space to itself: the quota of a space is for plugins.
	space, slot := "host/key/"+hex.EncodeToString(seed[:]), "key"
	if entry, err := store.Get(ctx, space, slot); err == nil {
		return string(entry.Value), nil
	} else if !errors.Is(err, kv.ErrNotFound) {
		return "", storageDown(err)
	}
	prefix, err := b.setting(spec.KeySetting)
	if err != nil {
		return "", err
	}
	// One counter for all operations: two of them in one second must not share a key.
	n, err := store.Incr(ctx, "host/counter/"+b.name, "keys", 1, 0)
	if err != nil {
		return "", storageDown(err)
	}
	key := prefix + "-" + strconv.FormatInt(b.host.config.Now().Unix(), 10) + "-" + strconv.FormatInt(n, 10)
	_, err = store.Put(ctx, space, slot, []byte(key), keyLifetime, kv.Absent)
	if errors.Is(err, kv.ErrConflict) { // another call was first: its key is the key
		entry, err := store.Get(ctx, space, slot)
		if err != nil {
			return "", storageDown(err)
		}
		return string(entry.Value), nil
	}
	if err != nil {
		return "", storageDown(err)
	}
	return key, nil
}

// setting returns the text of a setting of the connection.
func (b *binding) setting(name string) (string, error) {
	var settings map[string]any
	if err := json.Unmarshal(b.settings, &settings); err == nil {
		if text, ok := settings[name].(string); ok && text != "" {
			return text, nil
		}
	}
	return "", configError("settings."+name, "is needed to make the provider's keys")
}

func storageDown(err error) *pay.Error {
	return (&pay.Error{
		Class: pay.ClassHostFault, Effect: pay.EffectNone, Message: "storage is not available",
		Advice: pay.AdviceRetrySameKey, Err: err,
	}).Fill()
}

func invalid(field, message string) *pay.Error {
	return (&pay.Error{Class: pay.ClassInvalidRequest, Effect: pay.EffectNone, Field: field, Message: message}).Fill()
}

func unsupported(op pay.Operation) *pay.Error {
	return (&pay.Error{
		Class: pay.ClassUnsupported, Effect: pay.EffectNone, Operation: op,
		Message: "the provider has no such operation: " + op.String(),
	}).Fill()
}
