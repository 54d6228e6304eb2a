package rahmet

import (
	"net/http"
	"net/url"
	"strconv"
)

// statusItem is an order in the third shape; the fourth adds the members of fullItem.
type statusItem struct {
	IsPaid   bool          `json:"is_paid"`
	Amount   any           `json:"amount"`
	Cashback any           `json:"cashback"`
	Refund   *statusRefund `json:"refund,omitempty"`
}

type fullItem struct {
	statusItem
	Reference     any `json:"reference"`
	BalanceAmount any `json:"balance_amount"`
	Device        any `json:"device"`
}

type statusRefund struct {
	Amount   any `json:"refunded_amount"`
	Cashback any `json:"refunded_cashback"`
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request, form url.Values) {
	ids := readIDs(form)
	if len(ids) == 0 {
		s.fail(w, invalid("поле merchant_order_ids[] обязательно"))
		return
	}
	items := make(map[string]any, len(ids))
	for _, id := range ids {
		item, known := s.book.statusOf(id, form.Get("is_extended") == "1")
		if known {
			items[id] = item
			continue
		}
		switch s.Setting(unknownIDsSetting) {
		case "false":
			items[id] = false
		case "object":
			items[id] = fullItem{}
		case "error":
			s.fail(w, &failure{code: 404, message: "Заказ не найден"})
			return
		}
	}
	s.succeed(w, "Статусы заказов", s.mapOrEmpty(items))
}

// mapOrEmpty is the map, or what the provider may make of an empty one.
func (s *Server) mapOrEmpty(items map[string]any) any {
	if len(items) > 0 {
		return items
	}
	switch s.Setting(emptyMapSetting) {
	case "null":
		return nil
	case "object":
		return items
	default:
		return []any{}
	}
}

// readIDs takes merchant_order_ids[] repeated and merchant_order_ids[0], [1] … without a hole, as PHP does.
func readIDs(form url.Values) []string {
	const name = "merchant_order_ids"
	ids := append([]string(nil), form[name+"[]"]...)
	for i := 0; form.Has(name + "[" + strconv.Itoa(i) + "]"); i++ {
		ids = append(ids, form.Get(name+"["+strconv.Itoa(i)+"]"))
	}
	return ids
}

// statusOf is what status tells of an order, in the shape that is set.
func (b *book) statusOf(merchantID string, extended bool) (any, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.find(merchantID)
	if o == nil {
		return nil, false
	}
	full := b.fullItem(o)
	switch b.server.Setting(statusShapeSetting) {
	case "bool":
		return full.IsPaid, true
	case "bool_extended":
		if !extended {
			return full.IsPaid, true
		}
		return full.statusItem, true
	case "object":
		return full.statusItem, true
	default:
		return full, true
	}
}

// fullItem needs the lock.
func (b *book) fullItem(o *order) fullItem {
	item := fullItem{Reference: o.id}
	if !o.paid {
		return item
	}
	s, settled := b.server, o.settled()
	amount := o.amount
	if s.Setting(statusAmountSetting) == "net" {
		amount -= settled
	}
	item.IsPaid = settled < o.amount || s.Setting(fullRefundPaidSetting) == yes
	item.Amount, item.Cashback, item.BalanceAmount = s.money(amount), s.money(o.cashback), s.money(o.balance)
	item.Device = "ANDROID"
	if settled > 0 {
		cashback := min(wholeTenge(settled, s.PercentSetting(cashbackSetting)), o.cashback)
		item.Refund = &statusRefund{Amount: s.money(settled), Cashback: s.money(cashback)}
	}
	return item
}
