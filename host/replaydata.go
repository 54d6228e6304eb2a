package host

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// The part of a replay that stands in for keys and storage.

// crypto finds the recorded use of a key or a hash that a new one is: one of the
// same data first, else the next with the same key and algorithm, and notes what
// differs. nil if there is none.
func (t *replaying) crypto(name string, now *RecordedCrypto) *ImportCall {
	var found *ImportCall
	at := -1
	for i := range t.rec.Calls {
		c := &t.rec.Calls[i]
		if c.Import != name || c.Crypto == nil || t.used[i] || c.Crypto.Algorithm != now.Algorithm || c.Crypto.Key != now.Key {
			continue
		}
		same := t.d.fits(c.Crypto.Data, now.Data) && t.d.fits(c.Crypto.Signature, now.Signature)
		if found == nil || same {
			found, at = c, i
		}
		if same {
			break
		}
	}
	if found == nil {
		return nil
	}
	t.used[at] = true
	return found
}

// keyed is a use of a key: what it gives is the recorded result.
func (t *replaying) keyed(name string, spec []byte, data, signature int32) (*ImportCall, int32) {
	m, err := abi.DecodeCryptoSpec(bytes.Clone(spec))
	if err != nil {
		return nil, t.bad(abi.BadArgument, "crypto spec: "+err.Error())
	}
	now := &RecordedCrypto{Algorithm: m.Algorithm, Key: m.Key}
	var code int32
	if now.Data, code = t.blob(data); code < 0 {
		return nil, code
	}
	if signature != 0 {
		if now.Signature, code = t.blob(signature); code < 0 {
			return nil, code
		}
	}
	what := name + " with key " + m.Key
	was := t.crypto(name, now)
	if was == nil {
		t.d.add(what + ": the recording does not have it")
		return nil, t.fail(abi.Denied, pay.ClassConfig, "the recording has no such use of key "+m.Key)
	}
	t.d.text(what+": data", was.Crypto.Data, now.Data)
	t.d.text(what+": signature", was.Crypto.Signature, now.Signature)
	if was.Code < 0 {
		return nil, t.again(was)
	}
	return was, 0
}

func (t *replaying) transformed(name string, spec []byte, h int32) int32 {
	was, code := t.keyed(name, spec, h, 0)
	if was == nil {
		return code
	}
	return t.newBlob(slices.Clone(was.Crypto.Result))
}

// Sign gives the recorded signature.
func (t *replaying) Sign(spec []byte, h int32) int32 { return t.transformed("sign", spec, h) }

// Encrypt gives the recorded ciphertext.
func (t *replaying) Encrypt(spec []byte, h int32) int32 { return t.transformed("encrypt", spec, h) }

// Decrypt gives the recorded plaintext, or what stands in its place.
func (t *replaying) Decrypt(spec []byte, h int32) int32 { return t.transformed("decrypt", spec, h) }

// Verify gives the recorded answer.
func (t *replaying) Verify(spec []byte, h, sig int32) int32 {
	was, code := t.keyed("verify", spec, h, sig)
	if was == nil {
		return code
	}
	if was.Crypto.Valid {
		return 1
	}
	return 0
}

// stored is a value as the recording tells of it, and as the revision has changed
// it since.
type stored struct {
	value   []byte
	version int64
	there   bool
}

// storage finds the next recorded call of an import for a key.
func (t *replaying) stored(name string, key []byte) *ImportCall {
	for i := range t.rec.Calls {
		c := &t.rec.Calls[i]
		if c.Import == name && c.Storage != nil && !t.used[i] && bytes.Equal(c.Storage.Key, key) {
			t.used[i] = true
			return c
		}
	}
	return nil
}

// entry is what is known of a key.
func (t *replaying) entry(key []byte) *stored {
	e := t.memory[string(key)]
	if e == nil {
		e = &stored{}
		t.memory[string(key)] = e
	}
	return e
}

func (t *replaying) notThere() int32 {
	return t.fail(abi.NotFound, pay.ClassNotFound, "key is not there")
}

// KVGet gives the recorded value, or what is known of the key.
func (t *replaying) KVGet(key []byte) (h int32, version int64) {
	if code := t.storage(); code < 0 {
		return code, 0
	}
	e := t.entry(key)
	if was := t.stored("kv_get", key); was != nil {
		if was.Code < 0 {
			e.there = false
			return t.again(was), 0
		}
		e.value, e.version, e.there = was.Storage.Value, was.Storage.Version, true
	}
	if !e.there {
		return t.notThere(), 0
	}
	return t.newBlob(slices.Clone(e.value)), e.version
}

// KVPut answers as recorded and keeps the value in memory.
func (t *replaying) KVPut(key []byte, value int32, ttlMS, expect int64) (code int32, version int64) {
	if code := t.storage(); code < 0 {
		return code, 0
	}
	data, code := t.blob(value)
	if code < 0 {
		return code, 0
	}
	ttl, code := t.ttl(ttlMS)
	if code < 0 {
		return code, 0
	}
	e, what := t.entry(key), "kv_put "+strconv.Quote(string(key))
	was := t.stored("kv_put", key)
	if was == nil {
		t.d.add(what + ": the recording does not have it")
		e.version++
	} else {
		t.d.text(what+": value", was.Storage.Value, data)
		t.d.value(what+": ttl", was.Storage.TTL.String(), ttl.String())
		t.d.value(what+": expect", strconv.FormatInt(was.Storage.Expect, 10), strconv.FormatInt(expect, 10))
		if was.Code < 0 {
			return t.again(was), 0
		}
		e.version = was.Storage.Version
	}
	e.value, e.there = slices.Clone(data), true
	return 0, e.version
}

// KVDel answers as recorded.
func (t *replaying) KVDel(key []byte, _ int64) int32 {
	if code := t.storage(); code < 0 {
		return code
	}
	e := t.entry(key)
	was := t.stored("kv_del", key)
	switch {
	case was == nil:
		t.d.add("kv_del " + strconv.Quote(string(key)) + ": the recording does not have it")
		if !e.there {
			return t.notThere()
		}
	case was.Code < 0:
		return t.again(was)
	}
	e.there = false
	return 0
}

// KVIncr gives the recorded count.
func (t *replaying) KVIncr(key []byte, delta, ttlMS int64) (code int32, value int64) {
	if code := t.storage(); code < 0 {
		return code, 0
	}
	if _, code := t.ttl(ttlMS); code < 0 {
		return code, 0
	}
	e, what := t.entry(key), "kv_incr "+strconv.Quote(string(key))
	was := t.stored("kv_incr", key)
	if was == nil {
		t.d.add(what + ": the recording does not have it")
		n, _ := strconv.ParseInt(string(e.value), 10, 64)
		value = n + delta
	} else {
		t.d.value(what+": delta", strconv.FormatInt(was.Storage.Delta, 10), strconv.FormatInt(delta, 10))
		if was.Code < 0 {
			return t.again(was), 0
		}
		value = was.Storage.Count
	}
	e.value, e.there = strconv.AppendInt(nil, value, 10), true
	return 0, value
}

// KVList gives the recorded page; one that is not recorded is empty.
func (t *replaying) KVList(prefix, _ []byte, limit int32) int32 {
	if code := t.storage(); code < 0 {
		return code
	}
	if limit < 1 {
		return t.bad(abi.BadArgument, "kv_list: limit must be 1 to 1000")
	}
	page := &abi.KVPage{}
	if was := t.stored("kv_list", prefix); was != nil {
		if was.Code < 0 {
			return t.again(was)
		}
		if was.Storage.Page != nil {
			page = was.Storage.Page
		}
	} else {
		t.d.add("kv_list " + strconv.Quote(string(prefix)) + ": the recording does not have it")
	}
	return t.newBlob(abi.AppendKVPage(nil, page))
}
