#include "textflag.h"

// Assembly, because a jump in what the compiler makes of Go for Wasm goes through a
// table of the whole function, and here are little else than jumps.

#define ADD(reg, n) Get reg; I64Const n; I64Add; Set reg
#define PUT(c) Get R0; I32WrapI64; I64Const c; I64Store8 $0; ADD(R0, $1)
#define NOT I64Const $-1; I64Xor

// UNLIKE leaves the highest bit of each byte of R4 that is not the one in bytes. None
// of R4 has it before.
#define UNLIKE(bytes) Get R4; I64Const bytes; I64Xor; I64Const $0x7f7f7f7f7f7f7f7f; I64Add

// DIGIT writes the digit on the stack, of sixteen, to where R0 is and n.
#define DIGIT(n) Tee R4; Get R4; I64Const $9; I64GtU; I64ExtendI32U; I64Const $7; I64Mul; I64Add; I64Const $48; I64Add; I64Store8 n

// func field(b []byte, name, value string) []byte
//
// R0 is where to write, R1 where to read and R2 its end. R6 is 1 behind the name.
TEXT ·field(SB), NOSPLIT, $0-80
	I64Load b_base+0(FP); I64Load b_len+8(FP); I64Add; Set R0
	PUT($38) // &
	MOVD name_base+24(FP), R1
	Get R1; I64Load name_len+32(FP); I64Add; Set R2
	I64Const $0; Set R6

	Block
	Loop
		// R3 is the next eight bytes. Of up to seven that are left it has two halves or
		// three single ones, some of them twice, and zeros behind, which do not stand for
		// themselves.
		Get R2; Get R1; I64Sub; Tee R4; I64Const $8; I64GeU
		If
			Get R1; I32WrapI64; I64Load $0; Set R3
		Else
			Get R4; I64Const $4; I64GeU
			If
				Get R1; I32WrapI64; I64Load32U $0
				Get R2; I32WrapI64; I32Const $4; I32Sub; I64Load32U $0
				Get R4; I64Const $3; I64Shl; I64Const $32; I64Sub; I64Shl; I64Or; Set R3
			Else
				Get R4; I64Eqz
				If
					Get R6; I32WrapI64; BrIf $4 // behind the value
					PUT($61) // =
					MOVD value_base+40(FP), R1
					Get R1; I64Load value_len+48(FP); I64Add; Set R2
					I64Const $1; Set R6
					Br $3
				End
				Get R1; I32WrapI64; I64Load8U $0
				Get R1; Get R4; I64Const $1; I64ShrU; Tee R5; I64Add; I32WrapI64; I64Load8U $0
				Get R5; I64Const $3; I64Shl; I64Shl; I64Or
				Get R2; I32WrapI64; I32Const $1; I32Sub; I64Load8U $0
				Get R4; I64Const $3; I64Shl; I64Const $8; I64Sub; I64Shl; I64Or; Set R3
			End
		End
		Get R0; I32WrapI64; Get R3; I64Store $0

		// The highest bit of each byte of R4 tells which do not stand for themselves: a
		// letter of any case, a digit, - and . do, but / between these, and _ and ~ do.
		Get R3; I64Const $0x7f7f7f7f7f7f7f7f; I64And; Tee R4
		I64Const $0x2020202020202020; I64Or; Tee R5
		I64Const $0x1f1f1f1f1f1f1f1f; I64Add // from a
		Get R5; I64Const $0x0505050505050505; I64Add; NOT; I64And; Set R5 // to z
		Get R4; I64Const $0x5353535353535353; I64Add // from -
		Get R4; I64Const $0x4646464646464646; I64Add; NOT; I64And // to 9
		UNLIKE($0x2f2f2f2f2f2f2f2f); I64And; Get R5; I64Or; NOT
		UNLIKE($0x5f5f5f5f5f5f5f5f); I64And
		UNLIKE($0x7e7e7e7e7e7e7e7e); I64And
		Get R3; I64Or; I64Const $0x8080808080808080; I64And; Tee R4; I64Eqz
		If
			ADD(R0, $8)
			ADD(R1, $8)
			Br $1
		End
		Get R4; I64Ctz; I64Const $3; I64ShrU; Tee R4; Get R0; I64Add; Set R0
		Get R1; Get R4; I64Add; Tee R1; Get R2; I64Eq; BrIf $0

		// R3 is the one that does not.
		Get R3; Get R4; I64Const $3; I64Shl; I64ShrU; I64Const $0xff; I64And; Set R3
		ADD(R1, $1)
		Get R3; I64Const $32; I64Eq
		If
			PUT($43) // +
			Br $1
		End
		Get R0; I32WrapI64; I64Const $37; I64Store8 $0 // %
		Get R0; I32WrapI64; Get R3; I64Const $4; I64ShrU; DIGIT($1)
		Get R0; I32WrapI64; Get R3; I64Const $15; I64And; DIGIT($2)
		ADD(R0, $3)
		Br $0
	End
	End

	MOVD b_base+0(FP), ret_base+56(FP)
	Get SP; Get R0; I64Load b_base+0(FP); I64Sub; I64Store ret_len+64(FP)
	MOVD b_cap+16(FP), ret_cap+72(FP)
	RET
