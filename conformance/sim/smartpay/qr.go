package smartpay

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// codeSkew is how far in the future a code may be dated: phones have clocks of their own.
const codeSkew = 60 * time.Second

// codeText is what a code says under its encryption: <otp>.<timestamp>.<user_id>. The timestamp is taken to
// be Unix seconds; a user id may contain dots.
type codeText struct {
	otp   string
	shown time.Time
	user  string
}

// openCode decrypts (RSA-OAEP, SHA-256) and verifies (RSASSA-PKCS1-v1_5, SHA-256) a code. It says nothing
// about age and use.
func (s *service) openCode(qr qrFields) (codeText, error) {
	encrypted, err := base64.StdEncoding.DecodeString(qr.Encrypted)
	if err != nil {
		return codeText{}, refuse(CodeQRInvalid)
	}
	sign, err := base64.StdEncoding.DecodeString(qr.Sign)
	if err != nil {
		return codeText{}, refuse(CodeQRInvalid)
	}
	plain, err := rsa.DecryptOAEP(sha256.New(), nil, s.privateKey, encrypted, nil)
	if err != nil {
		return codeText{}, refuse(CodeQRInvalid)
	}
	text, err := parseCodeText(string(plain))
	if err != nil {
		return codeText{}, err
	}
	digest := sha256.Sum256(plain)
	if rsa.VerifyPKCS1v15(s.appKey, crypto.SHA256, digest[:], sign) != nil {
		return codeText{}, refuse(CodeQRSignature)
	}
	return text, nil
}

// checkFresh refuses a code that was shown too long ago or in the future.
func (s *service) checkFresh(text codeText) error {
	age := s.kit.Now().Sub(text.shown)
	if age > s.kit.DurationSetting("code_ttl") || age < -codeSkew {
		return refuse(CodeQRExpired)
	}
	return nil
}

func parseCodeText(plain string) (codeText, error) {
	parts := strings.SplitN(plain, ".", 3)
	if len(parts) != 3 || parts[0] == "" || parts[2] == "" {
		return codeText{}, refuse(CodeQRInvalid)
	}
	seconds, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return codeText{}, refuse(CodeQRInvalid)
	}
	return codeText{otp: parts[0], shown: time.Unix(seconds, 0), user: parts[2]}, nil
}
