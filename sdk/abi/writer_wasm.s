#include "go_asm.h"
#include "textflag.h"

// Assembly for the reasons of reader_wasm.s. R0 is the writer, R1 where to write, R2 up
// to where, R3 the next field, R4 its index, R5 the struct, R6 the address of the
// message's frame, R7 of the outermost one, with which opened begins, and R15 the number
// of fields.

#define LOAD(reg, n) Get reg; I32WrapI64; I64Load n
#define BYTE(reg, n) Get reg; I32WrapI64; I64Load8U n
#define ADD(reg, n) Get reg; I64Const n; I64Add; Set reg
#define NEXT ADD(R3, $field__size); ADD(R4, $1)

// SAVE and FRAME bring what is at hand to R6 and back.
#define SAVE(k, i) \
	Get R6; I32WrapI64; k; I64Store $open_k; \
	Get R6; I32WrapI64; i; I64Store $open_i
#define FRAME \
	LOAD(R6, $open_k); Set R4; \
	LOAD(R6, $open_m); Tee R3; I32WrapI64; I64Load $(message_fields+8); Set R15; \
	LOAD(R3, $message_fields); Get R4; I64Const $field__size; I64Mul; I64Add; Set R3; \
	LOAD(R6, $open_p); Set R5

// VARINT writes R8 to where R1 is.
#define VARINT \
	Loop; \
		Get R8; I64Const $0x80; I64GeU; If; \
			Get R1; I32WrapI64; Get R8; I64Const $0x80; I64Or; I64Store8 $0; \
			ADD(R1, $1); Get R8; I64Const $7; I64ShrU; Set R8; Br $1; \
		End; \
	End; \
	Get R1; I32WrapI64; Get R8; I64Store8 $0; ADD(R1, $1)

// func write(w *writer, now *opened, m *message, p unsafe.Pointer) int
//
// R14 is the answer. In the loop R8 is where the value is, or the number itself, R9 its
// kind, and R10 to R13 are for what is at hand.
TEXT ·write(SB), NOSPLIT, $0-40
	MOVD w+0(FP), R0
	LOAD(R0, $(writer_b+8)); LOAD(R0, $writer_b); I64Add; Set R1
	LOAD(R0, $(writer_b+16)); LOAD(R0, $writer_b); I64Add; I64Const $const_slack; I64Sub; Set R2
	MOVD now+8(FP), R7
	Get R7; LOAD(R7, $opened_depth); I64Const $open__size; I64Mul; I64Add; Set R6
	Get R7; I32WrapI64; I64Load m+16(FP); I64Store $open_m
	Get R7; I32WrapI64; I64Load p+24(FP); I64Store $open_p
	FRAME

	Block
	Loop
		Get R4; Get R15; I64Eq
		If
			I64Const $const_nothing; Set R14
			Get R6; Get R7; I64Eq; BrIf $2

			// The length, R9, stands before the body at R10, which moves if it has not one byte.
			LOAD(R6, $open_start); LOAD(R0, $writer_b); I64Add; Set R10
			Get R1; Get R10; I64Sub; Tee R9; I64Const $0x80; I64LtU
			If
				Get R10; I32WrapI64; I32Const $1; I32Sub; Get R9; I64Store8 $0
				Get R9; I64Eqz; LOAD(R6, $open_kind); I64Const $const_optional; I64Eq; I32And
				If
					LOAD(R6, $open_tag); LOAD(R0, $writer_b); I64Add; Set R1
				End
			Else
				Get R10; Set R11
				Get R9; Set R8
				Loop
					ADD(R11, $1)
					Get R8; I64Const $7; I64ShrU; Tee R8; I64Const $0x80; I64GeU; BrIf $0
				End
				Get R11; I32WrapI64; Get R10; I32WrapI64; Get R9; I32WrapI64; MemoryCopy
				Get R10; I64Const $1; I64Sub; Set R1
				Get R9; Set R8
				VARINT
				Get R1; Get R9; I64Add; Set R1
			End
			Get R6; I64Const $open__size; I64Sub; Set R6
			FRAME
			Br $1
		End

		// What is left out.
		BYTE(R3, $field_kind); Set R9
		LOAD(R3, $field_at); Get R5; I64Add; Set R8
		Get R9; I64Const $const_counts; I64LeU
		If
			LOAD(R8, $8); I64Eqz
			If
				NEXT
				Br $2
			End
		End
		Get R9; I64Const $const_number; I64GeU; Get R9; I64Const $const_span; I64LeU; I32And
		If
			Get R9; I64Const $const_moment; I64Eq
			If
				LOAD(R8, $0); LOAD(R8, $8); I64Or; LOAD(R8, $16); I64Or; Set R8
			Else
				Get R9; I64Const $const_enum; I64Eq; Get R9; I64Const $const_flag; I64Eq; I32Or
				If
					BYTE(R8, $0); Set R8
				Else
					Get R9; I64Const $const_handle; I64Eq
					If
						Get R8; I32WrapI64; I64Load32S $0; Set R8
					Else
						LOAD(R8, $0); Set R8
					End
				End
			End
			Get R8; I64Eqz
			If
				NEXT
				Br $2
			End
		End

		I64Const $const_space; Set R14
		Get R1; Get R2; I64GtS; BrIf $1
		I64Const $const_other; Set R14

		// A tag, behind which is R12. Only what moves R1 there has written it.
		Get R4; I64Const $1; I64Add; I64Const $3; I64Shl
		I64Const $const_wireVarint; I64Const $const_wireBytes
		Get R9; I64Const $const_number; I64GeU; Get R9; I64Const $const_enum; I64LeU; I32And; Select
		I64Or; Set R10
		Get R10; I64Const $0x80; I64LtU
		If
			Get R1; I32WrapI64; Get R10; I64Store8 $0
			Get R1; I64Const $1; I64Add; Set R12
		Else
			Get R1; I32WrapI64; Get R10; I64Const $0x80; I64Or; I64Store8 $0
			Get R1; I32WrapI64; Get R10; I64Const $7; I64ShrU; I64Store8 $1
			Get R1; I64Const $2; I64Add; Set R12
		End

		Get R9; I64Const $const_text; I64Eq
		If
			LOAD(R8, $0); Set R11
			LOAD(R8, $8); Tee R10; I64Const $0x4000; I64GeU; BrIf $2
			I64Const $const_space; Set R14
			Get R1; Get R10; I64Add; Get R2; I64GtS; BrIf $2
			I64Const $const_other; Set R14
			Get R10; I64Const $0x80; I64LtU
			If
				Get R12; I32WrapI64; Get R10; I64Store8 $0
			Else
				Get R12; I32WrapI64; Get R10; I64Const $0x80; I64Or; I64Store8 $0
				Get R12; I32WrapI64; Get R10; I64Const $7; I64ShrU; I64Store8 $1
				ADD(R12, $1)
			End
			ADD(R12, $1)

			// From R11 to R12; R9 becomes all bytes in one.
			Get R10; I64Const $8; I64GeU
			If
				Get R10; I64Const $8; I64Sub; Set R13
				Get R12; Get R13; I64Add; I32WrapI64
				Get R11; Get R13; I64Add; I32WrapI64; I64Load $0; Tee R9
				I64Store $0
				I64Const $0; Set R8
				Loop
					Get R8; Get R13; I64LtU
					If
						Get R12; Get R8; I64Add; I32WrapI64
						Get R11; Get R8; I64Add; I32WrapI64; I64Load $0; Tee R14
						I64Store $0
						Get R14; Get R9; I64Or; Set R9
						ADD(R8, $8)
						Br $1
					End
				End
				I64Const $const_other; Set R14
			Else
				I64Const $0; Set R9
				I64Const $0; Set R8
				Loop
					Get R12; Get R8; I64Add; I32WrapI64
					Get R11; Get R8; I64Add; I32WrapI64; I64Load8U $0; Tee R13
					I64Store8 $0
					Get R13; Get R9; I64Or; Set R9
					ADD(R8, $1)
					Get R8; Get R10; I64LtU; BrIf $0
				End
			End
			Get R9; I64Const $0x8080808080808080; I64And; I64Eqz; I32Eqz; BrIf $2
			Get R12; Get R10; I64Add; Set R1
			NEXT
			Br $1
		End

		Get R9; I64Const $const_number; I64GeU; Get R9; I64Const $const_enum; I64LeU; I32And
		If
			Get R12; Set R1
			VARINT
			NEXT
			Br $1
		End

		// A message: R8 becomes its struct.
		Get R9; I64Const $const_list; I64Eq
		If
			LOAD(R6, $open_i); Tee R10; I64Const $1; I64Add; Tee R11; LOAD(R8, $slice_n); I64Eq
			If
				SAVE(Get R4; I64Const $1; I64Add, I64Const $0)
			Else
				SAVE(Get R4, Get R11)
			End
			LOAD(R3, $field_part); I32WrapI64; I64Load $message_size; Get R10; I64Mul; LOAD(R8, $slice_p); I64Add; Set R8
		Else
			Get R9; I64Const $const_nested; I64LtU; BrIf $2
			Get R9; I64Const $const_pointer; I64Eq
			If
				LOAD(R8, $0); Tee R8; I64Eqz
				If
					NEXT
					Br $3
				End
			End
			SAVE(Get R4; I64Const $1; I64Add, I64Const $0)
		End
		ADD(R6, $open__size)
		Get R6; I32WrapI64; LOAD(R3, $field_part); I64Store $open_m
		Get R6; I32WrapI64; Get R8; I64Store $open_p
		Get R6; I32WrapI64; Get R1; LOAD(R0, $writer_b); I64Sub; I64Store $open_tag
		Get R12; I64Const $1; I64Add; Set R1
		Get R6; I32WrapI64; Get R1; LOAD(R0, $writer_b); I64Sub; I64Store $open_start
		Get R6; I32WrapI64; Get R9; I64Store $open_kind
		SAVE(I64Const $0, I64Const $0)
		FRAME
		Br $0
	End
	End

	Get R0; I32WrapI64; Get R1; LOAD(R0, $writer_b); I64Sub; I64Store $(writer_b+8)
	Get R6; I32WrapI64; Get R4; I64Store $open_k
	Get R7; I32WrapI64; Get R6; Get R7; I64Sub; I64Const $open__size; I64DivU; I64Store $opened_depth
	Get SP; Get R14; I64Store ret+32(FP)
	RET
