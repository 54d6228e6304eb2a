package httpapi

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/sdk/pay"
)

// The bodies of requests. Their tags are the schema that [decode] holds them
// against, so a limit stands in one place.

// minor is an amount in minor units, written as text or as an integer.
type minor int64

// UnmarshalJSON reads what the schema allows.
func (m *minor) UnmarshalJSON(data []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	*m = minor(n)
	return err
}

// Schema implements huma.SchemaProvider.
func (minor) Schema(huma.Registry) *huma.Schema {
	least, most := 1.0, 9223372036854775807.0
	return &huma.Schema{
		Description: "Minor units (tiyn, kopecks), more than zero: a decimal string or an integer; answers have a string",
		Format:      formatMinor,
		Examples:    []any{"250000", 250000},
		AnyOf: []*huma.Schema{
			{Type: huma.TypeString, Pattern: "^[1-9][0-9]{0,18}$"},
			{Type: huma.TypeInteger, Minimum: &least, Maximum: &most},
		},
	}
}

// amount is money in a request.
type amount struct {
	Value    minor  `json:"value"`
	Currency string `json:"currency" format:"iso-4217" minLength:"3" maxLength:"3" doc:"ISO 4217 code" example:"KZT"`
}

func (a *amount) money() pay.Money {
	if a == nil {
		return pay.Money{}
	}
	return pay.New(int64(a.Value), pay.Currency(a.Currency))
}

// texts is a small map of texts.
type texts map[string]string

// Schema implements huma.SchemaProvider.
func (texts) Schema(huma.Registry) *huma.Schema {
	members, longest := 50, 500
	return &huma.Schema{
		Type: huma.TypeObject, MaxProperties: &members,
		AdditionalProperties: &huma.Schema{
			Type: huma.TypeString, MaxLength: &longest, Extensions: map[string]any{maxBytes: longest},
		},
		Extensions: map[string]any{propertyNames: keyNames{1, 64}},
	}
}

func (t texts) options() []pay.Option {
	var list []pay.Option
	for name, value := range t {
		list = append(list, pay.Option{Name: name, Value: value})
	}
	slices.SortFunc(list, func(a, b pay.Option) int { return strings.Compare(a.Name, b.Name) })
	return list
}

type customer struct {
	Name  string `json:"name,omitempty" maxLength:"255"`
	Email string `json:"email,omitempty" maxLength:"254"`
	Phone string `json:"phone,omitempty" maxLength:"32"`
}

type line struct {
	Name     string `json:"name" minLength:"1" maxLength:"255" example:"Pizza"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"1000000000" doc:"Whole pieces" example:"1"`
	Price    amount `json:"price" doc:"Of one piece"`
}

func payLines(list []line) []pay.Line {
	var lines []pay.Line
	for _, l := range list {
		lines = append(lines, pay.Line{Name: l.Name, Quantity: l.Quantity, Price: l.Price.money()})
	}
	return lines
}

type newPayment struct {
	Connection  string    `json:"connection" minLength:"1" maxLength:"128" doc:"Which connection takes it" example:"rahmet-main"`
	OrderID     string    `json:"order_id" minLength:"1" maxLength:"128" doc:"Your id of the order" example:"100500"`
	Amount      *amount   `json:"amount,omitempty" doc:"Null or absent at a till, where it is not known yet"`
	Description string    `json:"description,omitempty" maxLength:"1000"`
	ReturnURL   string    `json:"return_url,omitempty" maxLength:"2048" format:"uri" doc:"Where the payer goes after paying"`
	FailURL     string    `json:"fail_url,omitempty" maxLength:"2048" format:"uri" doc:"Where the payer goes after failing"`
	Customer    *customer `json:"customer,omitempty" doc:"The payer as you know them; handed to the provider only"`
	Lines       []line    `json:"lines,omitempty" maxItems:"200" nullable:"false"`
	Locale      string    `json:"locale,omitempty" maxLength:"35" example:"ru"`
	ExpiresAt   time.Time `json:"expires_at,omitzero" doc:"Until when it can be paid; the provider's default if absent"`
	Metadata    texts     `json:"metadata,omitempty" doc:"Yours; comes back in answers and events. Values have up to 500 bytes"`
	Options     texts     `json:"options,omitempty" doc:"Wishes that only this provider knows; see its page"`
}

// TransformSchema implements huma.SchemaTransformer: the amount may be null.
func (newPayment) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	orNull(s, "amount")
	return s
}

// orNull lets a property that is a reference be null, which huma has no tag for.
func orNull(s *huma.Schema, name string) {
	p := s.Properties[name]
	s.Properties[name] = &huma.Schema{
		Description: p.Description, AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}},
	}
}

func (p *newPayment) engine() payments.NewPayment {
	n := payments.NewPayment{
		Connection: p.Connection, OrderID: p.OrderID, Amount: p.Amount.money(), Description: p.Description,
		ReturnURL: p.ReturnURL, FailURL: p.FailURL, Lines: payLines(p.Lines), Locale: p.Locale,
		ExpiresAt: p.ExpiresAt, Metadata: p.Metadata, Options: p.Options.options(),
	}
	if c := p.Customer; c != nil {
		n.Customer = pay.Customer{Name: c.Name, Email: c.Email, Phone: c.Phone}
	}
	return n
}

type binding struct {
	Code string `json:"code" minLength:"1" maxLength:"4096" doc:"What the scanner read, untouched"`
}

type release struct {
	Amount amount `json:"amount"`
}

type newRefund struct {
	Amount amount `json:"amount"`
	Reason string `json:"reason,omitempty" maxLength:"500"`
}

// nothing is a body that may be left out.
type nothing struct{}

type newReceipt struct {
	RegisterNumber string    `json:"register_number" minLength:"1" maxLength:"128" doc:"Registration number of the cash register"`
	FiscalSign     string    `json:"fiscal_sign" minLength:"1" maxLength:"128"`
	Code           string    `json:"code,omitempty" maxLength:"4096" doc:"The payer's code as scanned, if there is one"`
	Total          *amount   `json:"total,omitempty"`
	Lines          []line    `json:"lines,omitempty" maxItems:"200" nullable:"false"`
	IssuedAt       time.Time `json:"issued_at,omitzero"`
}

type newLooseReceipt struct {
	Connection     string    `json:"connection" minLength:"1" maxLength:"128" example:"smartpay-till-1"`
	RegisterNumber string    `json:"register_number" minLength:"1" maxLength:"128" doc:"Registration number of the cash register"`
	FiscalSign     string    `json:"fiscal_sign" minLength:"1" maxLength:"128"`
	Code           string    `json:"code,omitempty" maxLength:"4096" doc:"The payer's code as scanned, if there is one"`
	Total          *amount   `json:"total,omitempty"`
	Lines          []line    `json:"lines,omitempty" maxItems:"200" nullable:"false"`
	IssuedAt       time.Time `json:"issued_at,omitzero"`
}

func (r *newReceipt) engine() payments.NewReceipt {
	return payments.NewReceipt{
		Code: r.Code, RegisterNumber: r.RegisterNumber, FiscalSign: r.FiscalSign, Total: r.Total.money(),
		Lines: payLines(r.Lines), IssuedAt: r.IssuedAt,
	}
}

func (r *newLooseReceipt) engine() payments.NewReceipt {
	return payments.NewReceipt{
		Connection: r.Connection, Code: r.Code, RegisterNumber: r.RegisterNumber, FiscalSign: r.FiscalSign,
		Total: r.Total.money(), Lines: payLines(r.Lines), IssuedAt: r.IssuedAt,
	}
}

type resolution struct {
	Outcome  string `json:"outcome" enum:"applied,declined,not_applied" minLength:"1" maxLength:"32" doc:"What is proven"`
	Evidence string `json:"evidence" minLength:"1" maxLength:"4096" doc:"The provider's statement, a ticket, who said so"`
}

// TransformSchema implements huma.SchemaTransformer: evidence is bounded in bytes.
func (resolution) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["evidence"].Extensions = map[string]any{maxBytes: 4096}
	return s
}

// finding is what a person has found out about a payment's alerts.
type finding struct {
	Evidence string `json:"evidence" minLength:"1" maxLength:"4096" doc:"What was found, and where that can be seen"`
}

// TransformSchema implements huma.SchemaTransformer: evidence is bounded in bytes.
func (finding) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["evidence"].Extensions = map[string]any{maxBytes: 4096}
	return s
}

type activation struct {
	Digest        string `json:"digest" format:"sha-256" minLength:"64" maxLength:"64" doc:"SHA-256 of the revision, in hex"`
	CanaryPercent *int64 `json:"canary_percent,omitempty" minimum:"1" maximum:"100" doc:"Share of the payments; 100 is all"`
	Force         bool   `json:"force,omitempty" doc:"Put it in place though it lacks what payments under way need"`
}

type rollback struct {
	Force bool `json:"force,omitempty" doc:"Go back though the revision before lacks what payments under way need"`
}

type redelivery struct {
	Endpoint string `json:"endpoint,omitempty" maxLength:"2048" doc:"URL of one endpoint; absent for all"`
}
