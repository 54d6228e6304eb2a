package rahmet

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/payhost/payhost/conformance/sim/qrcode"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The magic amounts of create: the last three digits of a whole number of tenge.
const (
	magicPay          = 901
	magicDecline      = 902
	magicLoseAnswer   = 903
	magicLoseRequest  = 904
	magicDeclineFirst = 905
	magicExpire       = 906
)

// Bounds of what create takes. The documents give none.
const (
	maxMerchantID = 255
	maxTimeout    = 365 * 24 * time.Hour
	minImage      = 64
	maxImage      = 2000
)

func (s *Server) createV1(w http.ResponseWriter, r *http.Request, form url.Values) {
	s.create(w, r, form, func(page string) map[string]any { return map[string]any{"url": page} })
}

func (s *Server) createV2(w http.ResponseWriter, r *http.Request, form url.Values) {
	s.create(w, r, form, func(page string) map[string]any {
		return map[string]any{"inner_url": page + "&from=miniapp", "external_url": page}
	})
}

// addresses makes the members of the answer that tell the payment page's address.
type addresses func(page string) map[string]any

func (s *Server) create(w http.ResponseWriter, r *http.Request, form url.Values, tell addresses) {
	in, bad := s.readCreate(form)
	if bad != nil {
		s.fail(w, bad)
		return
	}
	magic := magicOf(in.amount)
	if magic == magicLoseRequest && s.book.once("lose request "+in.merchantID) {
		simkit.Cut()
	}
	o, bad := s.book.add(in.merchantID, in.amount, in.links, in.life)
	if bad != nil {
		s.fail(w, bad)
		return
	}
	if s.book.once("magic " + formatID(o.id)) {
		s.book.work(o, magic)
	}
	if s.Setting(postlinkTimingSetting) == "before_answer" {
		s.WaitDeliveries()
	}
	if magic == magicLoseAnswer && s.book.once("lose answer "+in.merchantID) {
		simkit.Cut()
	}
	page := s.baseURL(r) + o.path()
	data := tell(page)
	data["preorder_id"] = o.id
	if in.image > 0 {
		png, err := qrcode.PNG(page, in.image)
		if err != nil {
			s.fail(w, invalid("поле image_size: "+err.Error()))
			return
		}
		data["qr_image_base_64"] = simkit.DataURI(png)
	}
	s.succeed(w, "Заказ создан", data)
}

// work does what a magic amount asks for.
func (b *book) work(o *order, magic int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch magic {
	case magicPay:
		b.charge(o)
	case magicDecline:
		b.unwind(o, declined)
	case magicDeclineFirst:
		b.unwind(o, declined)
		b.charge(o)
	case magicExpire:
		b.unwind(o, expired)
	}
}

// magicOf is the part of an amount that may be magic: 0 when it is not whole tenge.
func magicOf(tiyn int64) int64 {
	if tiyn%100 != 0 {
		return 0
	}
	return tiyn / 100 % 1000
}

// createInput is a create request that was found good.
type createInput struct {
	merchantID string
	amount     int64
	links      links
	life       time.Duration
	image      int
}

func (s *Server) readCreate(form url.Values) (createInput, *failure) {
	in := createInput{merchantID: form.Get("merchant_order_id"), life: defaultTimeout}
	if in.merchantID == "" || len(in.merchantID) > maxMerchantID {
		return in, invalid("поле merchant_order_id обязательно, не длиннее 255 байт")
	}
	var bad *failure
	if in.amount, bad = s.parseMoney(form.Get("amount")); bad != nil {
		return in, bad
	}
	token := form.Get("token")
	if token == "" && s.Setting(branchTokenSetting) == "required" {
		return in, invalid("поле token обязательно")
	}
	if token != "" && token != s.options.BranchToken {
		return in, invalid("поле token: филиал не найден")
	}
	if in.links, bad = readLinks(form); bad != nil {
		return in, bad
	}
	if kind := form.Get("request_from_type"); kind != "" && kind != "miniapp" && kind != "external" {
		return in, invalid("поле request_from_type: miniapp или external")
	}
	seconds, ok := whole(form.Get("timeout"), 1, int(maxTimeout/time.Second))
	if !ok {
		return in, invalid("поле timeout: целое число секунд")
	}
	if seconds > 0 {
		in.life = time.Duration(seconds) * time.Second
	}
	if in.image, ok = whole(form.Get("image_size"), minImage, maxImage); !ok {
		return in, invalid("поле image_size: целое число точек от 64 до 2000")
	}
	return in, nil
}

func readLinks(form url.Values) (links, *failure) {
	l := links{
		back: form.Get("backlink"), post: form.Get("postlink"), failed: form.Get("failed_postlink"),
		check: form.Get("checklink"), failedOnCheck: true,
	}
	called := map[string]string{"postlink": l.post, "failed_postlink": l.failed, "checklink": l.check}
	for name, link := range called {
		u, err := url.Parse(link)
		if link != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return l, invalid("поле " + name + ": нужен полный адрес http или https")
		}
	}
	if u, err := url.Parse(l.back); l.back != "" && (err != nil || u.Scheme == "") {
		return l, invalid("поле backlink: нужен полный адрес или deep link")
	}
	switch form.Get("failed_on_check") {
	case "", yes, "1":
	case no, "0":
		l.failedOnCheck = false
	default:
		return l, invalid("поле failed_on_check: true или false")
	}
	return l, nil
}

// whole reads an optional whole number within bounds; 0 when it is not given.
func whole(text string, least, most int) (int, bool) {
	if text == "" {
		return 0, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= least && n <= most
}

func newHash() string {
	var noise [16]byte
	_, _ = rand.Read(noise[:]) // crypto/rand never fails
	return hex.EncodeToString(noise[:])
}
