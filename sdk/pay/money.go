package pay

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Errors of money arithmetic and parsing.
var (
	// ErrCurrency says that a currency is not in the ISO 4217 table, or that two
	// amounts of different currencies met.
	ErrCurrency = errors.New("unknown or different currency")
	// ErrOverflow says that an amount does not fit int64 minor units.
	ErrOverflow = errors.New("amount out of range")
	// ErrPrecision says that a decimal has more digits after the point than the
	// currency has minor units, so that it can't be held exactly.
	ErrPrecision = errors.New("amount has more decimals than the currency")
	// ErrDecimal says that a text is not a plain decimal number.
	ErrDecimal = errors.New("not a decimal amount")
)

// Money is an exact amount: Minor counts the currency's minor units (tiyn,
// tenge, kopecks), so 35.45 TMT is {3545, "TMT"}. The zero value means "no
// amount yet", as at a till before the cashier is done; see [Money.IsZero].
type Money struct {
	Minor    int64
	Currency Currency
}

// New returns minor units of a currency. It does not check the currency; use
// [Money.Valid] on what comes from outside.
func New(minor int64, c Currency) Money { return Money{Minor: minor, Currency: c} }

// ParseMoney reads plain decimal text such as "2500", "35.45" or "-0.5" exactly.
// Exponents, thousands separators, signs other than a leading minus, and spaces
// are refused with [ErrDecimal]; more decimals than the currency has with
// [ErrPrecision] unless the surplus digits are zero; what does not fit int64
// minor units with [ErrOverflow]; a code outside the table with [ErrCurrency].
// It reads back whatever [Money.Decimal] writes of a known currency.
func ParseMoney(text string, c Currency) (Money, error) {
	exp, ok := c.Exponent()
	if !ok {
		return Money{}, ErrCurrency
	}
	minor, err := parseDecimal(text, exp)
	if err != nil {
		return Money{}, err
	}
	return Money{Minor: minor, Currency: c}, nil
}

// parseDecimal looks at the whole text before it judges the number, so that a
// text that is no decimal is never called too large or too precise.
func parseDecimal(text string, exp int) (int64, error) {
	text, negative := strings.CutPrefix(text, "-")
	whole, fraction, point := strings.Cut(text, ".")
	if !allDigits(whole) || (point && !allDigits(fraction)) {
		return 0, ErrDecimal
	}
	if len(fraction) > exp {
		if strings.Trim(fraction[exp:], "0") != "" {
			return 0, ErrPrecision
		}
		fraction = fraction[:exp]
	}
	limit := uint64(math.MaxInt64)
	if negative {
		limit++ // int64 reaches one further below zero
	}
	var n uint64
	for i := range len(whole) + exp {
		var d uint64
		switch {
		case i < len(whole):
			d = uint64(whole[i] - '0')
		case i-len(whole) < len(fraction):
			d = uint64(fraction[i-len(whole)] - '0')
		}
		if n > (limit-d)/10 {
			return 0, ErrOverflow
		}
		n = n*10 + d
	}
	if negative {
		return -int64(n), nil
	}
	return int64(n), nil
}

// allDigits reports whether s is one or more ASCII digits.
func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// IsZero reports whether m carries no amount at all: no minor units and no
// currency.
func (m Money) IsZero() bool { return m == Money{} }

// Valid returns [ErrCurrency] if the currency is not in the ISO 4217 table.
func (m Money) Valid() error {
	if _, ok := m.Currency.Exponent(); !ok {
		return ErrCurrency
	}
	return nil
}

// Add returns m + o. Both must have the same currency ([ErrCurrency]); the sum
// must fit int64 ([ErrOverflow]).
func (m Money) Add(o Money) (Money, error) {
	if m.Currency != o.Currency {
		return Money{}, ErrCurrency
	}
	sum := m.Minor + o.Minor
	if (sum > m.Minor) != (o.Minor > 0) && o.Minor != 0 {
		return Money{}, ErrOverflow
	}
	return Money{Minor: sum, Currency: m.Currency}, nil
}

// Sub returns m - o, with the errors of [Money.Add].
func (m Money) Sub(o Money) (Money, error) {
	if m.Currency != o.Currency {
		return Money{}, ErrCurrency
	}
	rest := m.Minor - o.Minor
	if (rest < m.Minor) != (o.Minor > 0) && o.Minor != 0 {
		return Money{}, ErrOverflow
	}
	return Money{Minor: rest, Currency: m.Currency}, nil
}

// Times returns m times a whole quantity, or [ErrOverflow].
func (m Money) Times(quantity int64) (Money, error) {
	product := m.Minor * quantity
	if m.Minor != 0 && (product/m.Minor != quantity || (m.Minor == -1 && quantity == math.MinInt64)) {
		return Money{}, ErrOverflow
	}
	return Money{Minor: product, Currency: m.Currency}, nil
}

// Cmp compares amounts of one currency: -1, 0 or +1, or [ErrCurrency].
func (m Money) Cmp(o Money) (int, error) {
	switch {
	case m.Currency != o.Currency:
		return 0, ErrCurrency
	case m.Minor < o.Minor:
		return -1, nil
	case m.Minor > o.Minor:
		return 1, nil
	}
	return 0, nil
}

// Decimal writes the amount in major units with all decimals of the currency:
// "35.45", "2500.00", "500" for yen. A currency outside the table is written in
// minor units, since its exponent is not known.
func (m Money) Decimal() string { return string(m.AppendDecimal(nil)) }

// AppendDecimal appends what [Money.Decimal] returns.
func (m Money) AppendDecimal(b []byte) []byte {
	exp, _ := m.Currency.Exponent()
	n := uint64(m.Minor)
	if m.Minor < 0 {
		b, n = append(b, '-'), -n
	}
	start := len(b)
	b = strconv.AppendUint(b, n, 10)
	if exp == 0 {
		return b
	}
	for len(b)-start <= exp {
		b = append(b, 0)
		copy(b[start+1:], b[start:])
		b[start] = '0'
	}
	b = append(b, 0)
	point := len(b) - 1 - exp
	copy(b[point+1:], b[point:])
	b[point] = '.'
	return b
}

// Whole returns the amount in whole major units, and false if there are minor
// units left over. Providers that take only whole tenge need it.
func (m Money) Whole() (int64, bool) {
	exp, ok := m.Currency.Exponent()
	if !ok {
		return 0, false
	}
	unit := int64(1)
	for range exp {
		unit *= 10
	}
	return m.Minor / unit, m.Minor%unit == 0
}

// String returns the decimal and the currency, "35.45 TMT", for people.
func (m Money) String() string {
	if m.IsZero() {
		return "-"
	}
	return m.Decimal() + " " + string(m.Currency)
}
