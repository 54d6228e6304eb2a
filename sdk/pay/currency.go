package pay

import "strings"

// Currency is an ISO 4217 alphabetic code in capitals, such as "KZT".
type Currency string

// Currencies of the providers that ship with payhost.
const (
	KZT Currency = "KZT" // Kazakhstani tenge
	TMT Currency = "TMT" // Turkmenistan manat
	RUB Currency = "RUB" // Russian ruble
)

// Exponent returns how many decimals the currency's minor unit has, 0 to 4, and
// whether the code stands in the ISO 4217 table (the list of active codes
// without funds, metals and test codes, but with CLF, UYI and UYW).
func (c Currency) Exponent() (int, bool) {
	switch c {
	case KZT, TMT, RUB: // found without a search
		return 2, true
	}
	return c.other()
}

func (c Currency) other() (int, bool) {
	if len(c) != 3 || strings.IndexByte(string(c), ' ') >= 0 {
		return 0, false
	}
	switch code := string(c); {
	case strings.Contains(decimals2, code):
		return 2, true
	case strings.Contains(decimals0, code):
		return 0, true
	case strings.Contains(decimals3, code):
		return 3, true
	case strings.Contains(decimals4, code):
		return 4, true
	}
	return 0, false
}

// The table, by decimals. A search in text is a tenth of the code that a switch is.
const (
	decimals0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
	decimals3 = "BHD IQD JOD KWD LYD OMR TND"
	decimals4 = "CLF UYW"
	decimals2 = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP " +
		"CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR " +
		"IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN " +
		"NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP " +
		"STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
