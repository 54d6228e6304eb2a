package main

import (
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// answerBody is what the stub provider answers to a create: the documented answer.
const answerBody = `{"error_code":0,"status":"success","message":"Заказ создан","data":{"preorder_id":111,` +
	`"url":"https://rahmet.example/?id=3f1f7c2a9b","inner_url":null,"external_url":null,"note":"` +
	`a few bytes more, so that the answer is as long as real ones are in the field, about three hundred bytes"}}`

// sample is the request of every variant.
func sample() *pay.CreateRequest {
	return &pay.CreateRequest{
		Intent:    pay.Intent{Key: "op_01JD8Z5W3Q9T7Y2M4K6N8P0R1S", ProviderKey: "ord-2026-11-22-000417", Attempt: 1},
		PaymentID: "pay_01JD8Z5W3Q9T7Y2M4K6N8P0R1S", OrderID: "ord-2026-11-22-000417",
		Amount: pay.New(12990000, pay.KZT), Description: "Order 417: lamp & shade",
		ReturnURL:       "https://shop.example.com/pay/return?o=417",
		FailURL:         "https://shop.example.com/pay/cancel?o=417",
		NotificationURL: "https://pay.example.com/n/rahmet-main/5f2c7a1e9d?v=1",
		Customer:        pay.Customer{Name: "Ada Lovelace", Email: "ada@example.com", Phone: "+442071838750"},
		Lines: []pay.Line{
			{Name: "Desk lamp, brass", Quantity: 1, Price: pay.New(9990000, pay.KZT)},
			{Name: "Glass shade, green", Quantity: 2, Price: pay.New(1500000, pay.KZT)},
		},
		Locale: "ru",
	}
}

// stubHost answers imports as a host would, without a network.
type stubHost struct {
	abi.Imports // what is not here is not called
	input       []byte
	config      []byte
	reply       []byte
	blobs       [][]byte
}

func newStub(input []byte) *stubHost {
	return &stubHost{input: input, config: abi.AppendConnectionConfig(nil, &abi.ConnectionConfig{
		Connection: "bench", BaseURL: "https://gateway.example.kz", Settings: []byte(`{"branch_token":"b-7f3a9c21"}`),
		Secrets: []string{"client_id", "client_secret"},
	})}
}

func (s *stubHost) reset() { s.blobs = s.blobs[:0] }

// answer is the stub provider.
func (s *stubHost) answer([]byte) []byte { return []byte(answerBody) }

// The methods below are those of abi.Imports that a create needs.

func (s *stubHost) Input(off uint32, p []byte) int32 { return int32(copy(p, s.input[off:])) }

func (s *stubHost) Reply(p []byte) int32 {
	s.reply = append(s.reply[:0], p...)
	return 0
}

func (s *stubHost) Config(p []byte) int32 {
	copy(p, s.config)
	return int32(len(s.config))
}

func (s *stubHost) NowNS() int64            { return time.Now().UnixNano() }
func (s *stubHost) DeadlineNS() int64       { return int64(time.Second) }
func (s *stubHost) Log(int32, []byte) int32 { return 0 }
func (s *stubHost) BlobLen(h int32) int64   { return int64(len(s.blobs[h-1])) }
func (s *stubHost) BlobFree(int32) int32    { return 0 }
func (s *stubHost) BlobNew(int64) int32     { return s.keep(nil) }
func (s *stubHost) keep(b []byte) int32     { s.blobs = append(s.blobs, b); return int32(len(s.blobs)) }
func (s *stubHost) LastError([]byte) int32  { return 0 }

func (s *stubHost) BlobWrite(h int32, p []byte) int32 {
	s.blobs[h-1] = append(s.blobs[h-1], p...)
	return int32(len(p))
}

func (s *stubHost) BlobRead(h int32, off int64, p []byte) int32 {
	return int32(copy(p, s.blobs[h-1][off:]))
}

func (s *stubHost) HTTPSend(head []byte, body int32) int32 {
	if _, err := abi.DecodeHTTPRequest(head); err != nil {
		return int32(abi.BadArgument)
	}
	answer := s.answer(s.blobs[body-1])
	return s.keep(abi.AppendHTTPResponse(nil, &abi.HTTPResponse{
		Status: 200, Header: []pay.Field{{Name: "Content-Type", Value: "application/json"}},
		Body: s.keep(answer), BodyLen: int64(len(answer)),
	}))
}

// idiomatic is the same create as a Go programmer would write it without payhost:
// url.Values and encoding/json.
func idiomatic(r *pay.CreateRequest, send func([]byte) []byte) error {
	whole, ok := r.Amount.Whole()
	if !ok {
		return errors.New("whole tenge only")
	}
	notify, err := url.Parse(r.NotificationURL)
	if err != nil {
		return err
	}
	link := func(event string) string {
		q := notify.Query()
		q.Set("event", event)
		u := *notify
		u.RawQuery = q.Encode()
		return u.String()
	}
	form := url.Values{}
	form.Set("merchant_order_id", r.ProviderKey)
	form.Set("amount", strconv.FormatInt(whole, 10))
	form.Set("token", "b-7f3a9c21")
	form.Set("backlink", r.ReturnURL)
	form.Set("postlink", link("paid"))
	form.Set("failed_postlink", link("failed"))
	var answer struct {
		ErrorCode int    `json:"error_code"`
		Status    string `json:"status"`
		Message   string `json:"message"`
		Data      *struct {
			PreorderID json.Number `json:"preorder_id"`
			URL        string      `json:"url"`
		} `json:"data"`
	}
	if err := json.Unmarshal(send([]byte(form.Encode())), &answer); err != nil {
		return err
	}
	if answer.ErrorCode != 0 || answer.Data == nil || answer.Data.URL == "" {
		return errors.New("no link")
	}
	return nil
}
