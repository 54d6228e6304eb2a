package smartpay

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Flaw is something wrong with a code, for a till to notice.
type Flaw string

// The flaws. The service refuses every one of them, too.
const (
	// Fresh is no flaw: a good code.
	Fresh Flaw = ""
	// Stale was shown an hour before code_ttl began.
	Stale Flaw = "stale"
	// Future is dated an hour ahead.
	Future Flaw = "future"
	// ForgedSignature is signed by a key that is not the app's.
	ForgedSignature Flaw = "forged_signature"
	// OtherText has the app's true signature, of another text than the encrypted one.
	OtherText Flaw = "other_text"
	// WrongKey is encrypted for another service's key.
	WrongKey Flaw = "wrong_key"
	// WrongShape is encrypted and signed well, and the text is not three parts with dots between them.
	WrongShape Flaw = "wrong_shape"
	// NotBase64 has an encrypted part that is not base64.
	NotBase64 Flaw = "not_base64"
	// NotJSON is text of another kind, as on a poster.
	NotJSON Flaw = "not_json"
)

// maxUser is the longest user id that fits one RSA-OAEP block beside the one-time password and the time.
const maxUser = 120

// Flaws lists every flaw there is, without Fresh.
func Flaws() []Flaw {
	return []Flaw{
		Stale, Future, ForgedSignature, OtherText, WrongKey, WrongShape, NotBase64, NotJSON,
	}
}

// PresentCode returns the text of a fresh, signed QR code as the payer's app shows it. Every call makes a new
// one-time password. user is 1 to 120 bytes; another length is an error.
func (s *Server) PresentCode(user string) (string, error) { return s.PresentFlawed(user, Fresh) }

// PresentAged is PresentCode for a code shown that long ago; a negative age is in the future.
func (s *Server) PresentAged(user string, age time.Duration) (string, error) {
	return s.present(user, age, Fresh)
}

// PresentFlawed is PresentCode for a code with something wrong. It returns an error for an unknown flaw.
func (s *Server) PresentFlawed(user string, flaw Flaw) (string, error) {
	switch flaw {
	case Stale:
		return s.present(user, s.kit.DurationSetting("code_ttl")+time.Hour, Fresh)
	case Future:
		return s.present(user, -time.Hour, Fresh)
	default:
		return s.present(user, 0, flaw)
	}
}

func (s *Server) present(user string, age time.Duration, flaw Flaw) (string, error) {
	if user == "" || len(user) > maxUser {
		return "", fmt.Errorf("smartpay: present code: user id of %d bytes, want 1 to %d", len(user), maxUser)
	}
	text := fmt.Sprintf("%s.%d.%s", rand.Text(), s.kit.Now().Add(-age).Unix(), user)
	signed, sealFor, signBy := text, s.options.ServiceKey, s.options.AppKey
	var err error
	switch flaw {
	case Fresh, NotBase64:
	case NotJSON:
		return "https://poster.example/?promo=1", nil
	case OtherText:
		signed = text + "0"
	case WrongShape:
		text = strings.ReplaceAll(text, ".", "-")
		signed = text
	case ForgedSignature:
		signBy, err = s.foreignKey()
	case WrongKey:
		sealFor, err = s.foreignKey()
	default:
		err = fmt.Errorf("smartpay: present code: unknown flaw %q", flaw)
	}
	if err != nil {
		return "", err
	}
	qr, err := seal(&sealFor.Private.PublicKey, signBy.Private, text, signed)
	if err != nil {
		return "", err
	}
	if flaw == NotBase64 {
		qr.Encrypted = "*" + qr.Encrypted[1:]
	}
	qr.Loyalty = loyalty(user)
	out, err := json.Marshal(qr)
	if err != nil {
		return "", fmt.Errorf("smartpay: present code: %w", err)
	}
	return string(out), nil
}

// seal encrypts one text and signs the other; in a good code they are the same.
func seal(serviceKey *rsa.PublicKey, appKey *rsa.PrivateKey, text, signed string) (qrFields, error) {
	encrypted, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, serviceKey, []byte(text), nil)
	if err != nil {
		return qrFields{}, fmt.Errorf("smartpay: encrypt code: %w", err)
	}
	digest := sha256.Sum256([]byte(signed))
	sign, err := rsa.SignPKCS1v15(rand.Reader, appKey, crypto.SHA256, digest[:])
	if err != nil {
		return qrFields{}, fmt.Errorf("smartpay: sign code: %w", err)
	}
	return qrFields{
		Encrypted: base64.StdEncoding.EncodeToString(encrypted),
		Sign:      base64.StdEncoding.EncodeToString(sign),
	}, nil
}

// loyalty invents the user's id in the loyalty program; it is always the same for one user.
func loyalty(user string) string {
	digest := sha256.Sum256([]byte(user))
	return fmt.Sprintf("L%X", digest[:6])
}
