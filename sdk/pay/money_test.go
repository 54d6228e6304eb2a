package pay_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/payhost/payhost/sdk/pay"
	"pgregory.net/rapid"
)

func TestParseMoney(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text     string
		currency pay.Currency
		want     int64
		err      error
	}{
		{"35.45", pay.TMT, 3545, nil},
		{"35.4", pay.TMT, 3540, nil},
		{"35", pay.TMT, 3500, nil},
		{"0.01", pay.TMT, 1, nil},
		{"-0.5", pay.TMT, -50, nil},
		{"-0", pay.TMT, 0, nil},
		{"0", pay.KZT, 0, nil},
		{"0.00", pay.KZT, 0, nil},
		{"007.10", pay.KZT, 710, nil},
		{"2500", pay.KZT, 250000, nil},
		{"2500.00", pay.KZT, 250000, nil},
		{"2500.000000000000000000000000", pay.KZT, 250000, nil},
		{"500", "JPY", 500, nil},
		{"500.0", "JPY", 500, nil},
		{"1.234", "BHD", 1234, nil},
		{"1.2", "BHD", 1200, nil},
		{"1.2345", "CLF", 12345, nil},
		{"1.23450", "CLF", 12345, nil},

		{"92233720368547758.07", pay.KZT, math.MaxInt64, nil},
		{"92233720368547758.08", pay.KZT, 0, pay.ErrOverflow},
		{"-92233720368547758.08", pay.KZT, math.MinInt64, nil},
		{"-92233720368547758.09", pay.KZT, 0, pay.ErrOverflow},
		{"92233720368547759", pay.KZT, 0, pay.ErrOverflow},
		{"9223372036854775807", "JPY", math.MaxInt64, nil},
		{"9223372036854775808", "JPY", 0, pay.ErrOverflow},
		{"-9223372036854775808", "JPY", math.MinInt64, nil},
		{"922337203685477.5807", "CLF", math.MaxInt64, nil},
		{"922337203685478", "CLF", 0, pay.ErrOverflow},
		{"18446744073709551616", "JPY", 0, pay.ErrOverflow},
		{"99999999999999999999999999999999", pay.KZT, 0, pay.ErrOverflow},

		{"35.455", pay.TMT, 0, pay.ErrPrecision},
		{"0.001", pay.KZT, 0, pay.ErrPrecision},
		{"500.5", "JPY", 0, pay.ErrPrecision},
		{"1.2345", "BHD", 0, pay.ErrPrecision},

		{"", pay.KZT, 0, pay.ErrDecimal},
		{"-", pay.KZT, 0, pay.ErrDecimal},
		{".", pay.KZT, 0, pay.ErrDecimal},
		{".5", pay.KZT, 0, pay.ErrDecimal},
		{"5.", pay.KZT, 0, pay.ErrDecimal},
		{"5.", "JPY", 0, pay.ErrDecimal},
		{"--5", pay.KZT, 0, pay.ErrDecimal},
		{"+5", pay.KZT, 0, pay.ErrDecimal},
		{"5-", pay.KZT, 0, pay.ErrDecimal},
		{"1.2.3", pay.KZT, 0, pay.ErrDecimal},
		{"1,5", pay.KZT, 0, pay.ErrDecimal},
		{"1 000", pay.KZT, 0, pay.ErrDecimal},
		{" 5", pay.KZT, 0, pay.ErrDecimal},
		{"1e3", pay.KZT, 0, pay.ErrDecimal},
		{"0x10", pay.KZT, 0, pay.ErrDecimal},
		{"NaN", pay.KZT, 0, pay.ErrDecimal},
		{"٣", pay.KZT, 0, pay.ErrDecimal},
		{"1.234x", pay.KZT, 0, pay.ErrDecimal},
		{"99999999999999999999x", pay.KZT, 0, pay.ErrDecimal},

		{"1", "", 0, pay.ErrCurrency},
		{"1", "XXX", 0, pay.ErrCurrency},
		{"1", "kzt", 0, pay.ErrCurrency},
	}
	for _, c := range cases {
		t.Run(c.text+string(c.currency), func(t *testing.T) {
			t.Parallel()
			got, err := pay.ParseMoney(c.text, c.currency)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			want := pay.New(c.want, c.currency)
			if err != nil {
				want = pay.Money{}
			}
			if got != want {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestMoneyText(t *testing.T) {
	t.Parallel()
	cases := []struct {
		money   pay.Money
		decimal string
		text    string
	}{
		{pay.New(3545, pay.TMT), "35.45", "35.45 TMT"},
		{pay.New(250000, pay.KZT), "2500.00", "2500.00 KZT"},
		{pay.New(5, pay.KZT), "0.05", "0.05 KZT"},
		{pay.New(-5, pay.KZT), "-0.05", "-0.05 KZT"},
		{pay.New(0, pay.KZT), "0.00", "0.00 KZT"},
		{pay.New(500, "JPY"), "500", "500 JPY"},
		{pay.New(7, "BHD"), "0.007", "0.007 BHD"},
		{pay.New(12345, "CLF"), "1.2345", "1.2345 CLF"},
		{pay.New(math.MaxInt64, pay.KZT), "92233720368547758.07", "92233720368547758.07 KZT"},
		{pay.New(math.MinInt64, pay.KZT), "-92233720368547758.08", "-92233720368547758.08 KZT"},
		{pay.New(3545, "XXX"), "3545", "3545 XXX"},
		{pay.Money{}, "0", "-"},
	}
	for _, c := range cases {
		if got := c.money.Decimal(); got != c.decimal {
			t.Errorf("%#v: decimal %q, want %q", c.money, got, c.decimal)
		}
		if got := c.money.String(); got != c.text {
			t.Errorf("%#v: text %q, want %q", c.money, got, c.text)
		}
		if got := string(c.money.AppendDecimal([]byte("sum="))); got != "sum="+c.decimal {
			t.Errorf("%#v: appended %q", c.money, got)
		}
	}
}

func TestMoneyWhole(t *testing.T) {
	t.Parallel()
	cases := []struct {
		money pay.Money
		want  int64
		whole bool
	}{
		{pay.New(250000, pay.KZT), 2500, true},
		{pay.New(250001, pay.KZT), 2500, false},
		{pay.New(-250000, pay.KZT), -2500, true},
		{pay.New(500, "JPY"), 500, true},
		{pay.New(1000, "BHD"), 1, true},
		{pay.New(1000, "CLF"), 0, false},
		{pay.New(1000, "XXX"), 0, false},
	}
	for _, c := range cases {
		if got, whole := c.money.Whole(); got != c.want || whole != c.whole {
			t.Errorf("%v: %d %t, want %d %t", c.money, got, whole, c.want, c.whole)
		}
	}
}

func TestMoneyOfTwoCurrencies(t *testing.T) {
	t.Parallel()
	a, b := pay.New(1, pay.KZT), pay.New(math.MinInt64, pay.TMT)
	if _, err := a.Add(b); !errors.Is(err, pay.ErrCurrency) {
		t.Errorf("add: %v", err)
	}
	if _, err := a.Sub(b); !errors.Is(err, pay.ErrCurrency) {
		t.Errorf("sub: %v", err)
	}
	if _, err := a.Cmp(b); !errors.Is(err, pay.ErrCurrency) {
		t.Errorf("cmp: %v", err)
	}
	if err := pay.New(1, "XXX").Valid(); !errors.Is(err, pay.ErrCurrency) {
		t.Errorf("valid: %v", err)
	}
	if err := a.Valid(); err != nil {
		t.Errorf("valid: %v", err)
	}
	if a.IsZero() || pay.New(0, pay.KZT).IsZero() || !(pay.Money{}).IsZero() {
		t.Error("only an amount without number and currency is no amount")
	}
}

// edgy draws numbers that are often next to the ends of int64.
func edgy(t *rapid.T, label string) int64 {
	if near := rapid.Int64Range(-3, 3).Draw(t, label+" near"); rapid.Bool().Draw(t, label+" edge") {
		edges := []int64{0, math.MaxInt64, math.MinInt64, math.MaxInt64 / 2, math.MinInt64 / 2, 1 << 32}
		return rapid.SampledFrom(edges).Draw(t, label) + near
	}
	return rapid.Int64().Draw(t, label)
}

func TestMoneyArithmeticAgainstBig(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x, y := edgy(t, "x"), edgy(t, "y")
		a, b := pay.New(x, pay.KZT), pay.New(y, pay.KZT)
		sum, err := a.Add(b)
		agree(t, "add", new(big.Int).Add(big.NewInt(x), big.NewInt(y)), sum, err)
		rest, err := a.Sub(b)
		agree(t, "sub", new(big.Int).Sub(big.NewInt(x), big.NewInt(y)), rest, err)
		product, err := a.Times(y)
		agree(t, "times", new(big.Int).Mul(big.NewInt(x), big.NewInt(y)), product, err)
		if order, err := a.Cmp(b); err != nil || order != big.NewInt(x).Cmp(big.NewInt(y)) {
			t.Fatalf("cmp %d %v", order, err)
		}
	})
}

func agree(t *rapid.T, name string, want *big.Int, got pay.Money, err error) {
	switch {
	case want.IsInt64():
		if err != nil || got != pay.New(want.Int64(), pay.KZT) {
			t.Fatalf("%s: got %v, %v, want %s", name, got, err, want)
		}
	case !errors.Is(err, pay.ErrOverflow) || got != pay.Money{}:
		t.Fatalf("%s: got %v, %v, want overflow", name, got, err)
	}
}

func TestMoneyDecimalAgainstBig(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]pay.Currency{"JPY", pay.KZT, "BHD", "CLF"}).Draw(t, "currency")
		m := pay.New(edgy(t, "minor"), currency)
		exp, _ := currency.Exponent()
		unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exp)), nil)
		if want := new(big.Rat).SetFrac(big.NewInt(m.Minor), unit).FloatString(exp); m.Decimal() != want {
			t.Fatalf("decimal %q, want %q", m.Decimal(), want)
		}
		if back, err := pay.ParseMoney(m.Decimal(), currency); err != nil || back != m {
			t.Fatalf("parsed back %v, %v, want %v", back, err, m)
		}
	})
}

// FuzzMoney holds that parsing and writing are inverse: an accepted text is
// written in one canonical form, which reads back as the same amount.
func FuzzMoney(f *testing.F) {
	for _, text := range []string{
		"35.45", "-0.5", "2500", "92233720368547758.07", "-92233720368547758.08", "1.", ".1", "1e9",
	} {
		f.Add(text, "KZT", int64(3545))
		f.Add(text, "CLF", int64(math.MinInt64))
	}
	f.Add("500", "JPY", int64(math.MaxInt64))
	f.Add("1.234", "BHD", int64(-1))
	f.Fuzz(func(t *testing.T, text, code string, minor int64) {
		c := pay.Currency(code)
		if m, err := pay.ParseMoney(text, c); err == nil {
			back, err := pay.ParseMoney(m.Decimal(), c)
			if err != nil || back != m {
				t.Fatalf("%q is %v, written %q, read back %v, %v", text, m, m.Decimal(), back, err)
			}
		}
		if _, known := c.Exponent(); !known {
			return
		}
		m := pay.New(minor, c)
		if back, err := pay.ParseMoney(m.Decimal(), c); err != nil || back != m {
			t.Fatalf("%v written %q, read back %v, %v", m, m.Decimal(), back, err)
		}
	})
}
