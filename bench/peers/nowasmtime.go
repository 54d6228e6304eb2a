//go:build !cgo

package peers

import (
	"context"
	"fmt"
)

func wasmtimeGo(context.Context, string) (Call, func(), error) {
	return nil, nil, fmt.Errorf("%w: wasmtime-go needs cgo, and there is no C compiler", ErrNone)
}
