#include "textflag.h"

// func ASCII(s string) bool
//
// R3 is all bytes of s in one, R1 where to read and R4 where the last eight begin.
TEXT ·ASCII(SB), NOSPLIT, $0-17
	MOVD s_base+0(FP), R1
	MOVD s_len+8(FP), R2
	Get R2; I64Const $8; I64GeU
	If
		Get R1; Get R2; I64Add; I64Const $8; I64Sub; Tee R4; I32WrapI64; I64Load $0; Set R3
		Loop
			Get R1; Get R4; I64LtU
			If
				Get R1; I32WrapI64; I64Load $0; Get R3; I64Or; Set R3
				Get R1; I64Const $8; I64Add; Set R1
				Br $1
			End
		End
	Else
		Get R2; I64Const $4; I64GeU
		If
			Get R1; I32WrapI64; I64Load32U $0
			Get R1; Get R2; I64Add; I32WrapI64; I32Const $4; I32Sub; I64Load32U $0
			I64Or; Set R3
		Else
			I64Const $0; Set R3
			Get R2; I64Eqz; I32Eqz
			If
				Get R1; I32WrapI64; I64Load8U $0
				Get R1; Get R2; I64Const $1; I64ShrU; I64Add; I32WrapI64; I64Load8U $0; I64Or
				Get R1; Get R2; I64Add; I32WrapI64; I32Const $1; I32Sub; I64Load8U $0; I64Or
				Set R3
			End
		End
	End
	Get SP; Get R3; I64Const $0x8080808080808080; I64And; I64Eqz; I64ExtendI32U; I64Store8 ret+16(FP)
	RET
