package wasm

import (
	"crypto/rand"
	"time"

	"github.com/payhost/payhost/sdk/abi"
)

// initHost answers outside of calls: while a module initializes there are only a
// clock, chance and a log that goes nowhere. Everything else is denied.
type initHost struct{}

var _ abi.Imports = initHost{}

const denied = int32(abi.Denied)

func (initHost) Input(uint32, []byte) int32                       { return denied }
func (initHost) Reply([]byte) int32                               { return denied }
func (initHost) LastError([]byte) int32                           { return 0 }
func (initHost) Features([]byte) int32                            { return denied }
func (initHost) Config([]byte) int32                              { return denied }
func (initHost) NowNS() int64                                     { return time.Now().UnixNano() }
func (initHost) DeadlineNS() int64                                { return int64(abi.Denied) }
func (initHost) Random(p []byte) int32                            { n, _ := rand.Read(p); return int32(n) }
func (initHost) BlobNew(int64) int32                              { return denied }
func (initHost) BlobWrite(int32, []byte) int32                    { return denied }
func (initHost) BlobRead(int32, int64, []byte) int32              { return denied }
func (initHost) BlobLen(int32) int64                              { return int64(denied) }
func (initHost) BlobFree(int32) int32                             { return denied }
func (initHost) HTTPSend([]byte, int32) int32                     { return denied }
func (initHost) Digest(int32, int32, []byte) int32                { return denied }
func (initHost) Sign([]byte, int32) int32                         { return denied }
func (initHost) Verify([]byte, int32, int32) int32                { return denied }
func (initHost) Encrypt([]byte, int32) int32                      { return denied }
func (initHost) Decrypt([]byte, int32) int32                      { return denied }
func (initHost) KVGet([]byte) (int32, int64)                      { return denied, 0 }
func (initHost) KVPut([]byte, int32, int64, int64) (int32, int64) { return denied, 0 }
func (initHost) KVDel([]byte, int64) int32                        { return denied }
func (initHost) KVIncr([]byte, int64, int64) (int32, int64)       { return denied, 0 }
func (initHost) KVList([]byte, []byte, int32) int32               { return denied }
func (initHost) Log(int32, []byte) int32                          { return 0 }
func (initHost) SpanStart([]byte) int32                           { return 0 }
func (initHost) SpanEnd(int32, []byte) int32                      { return 0 }
