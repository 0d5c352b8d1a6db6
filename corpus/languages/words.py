"""Keywords and operators of the languages, separated by blanks. Nothing but text; read by the tables."""

from __future__ import annotations

C_OPERATORS = "-> ++ -- << >> <= >= == != && || += -= *= /= %= &= |= ^= <<= >>= ..."
C = """
    auto bool break case char const continue default do double else enum extern float for goto if inline int
    long register restrict return short signed sizeof static struct switch typedef union unsigned void
    volatile while _Bool _Complex _Imaginary _Noreturn _Static_assert _Alignas _Alignof _Atomic _Thread_local
    _Generic"""
CPP = """
    alignas alignof and asm bool catch char16_t char32_t char8_t class co_await co_return co_yield concept
    const_cast consteval constexpr constinit decltype delete dynamic_cast explicit export false final friend
    mutable namespace new noexcept not nullptr operator or override private protected public reinterpret_cast
    requires static_assert static_cast template this thread_local throw true try typeid typename using virtual
    wchar_t xor"""
OBJECTIVE_C = "id self super nil YES NO interface implementation protocol property end selector synthesize in"
PYTHON = """
    and as assert async await break case class continue def del elif else except finally for from global if
    import in is lambda match nonlocal not or pass raise return try while with yield None True False"""
PYTHON_OPERATORS = "** // << >> <= >= == != <> -> := += -= *= /= //= %= **= &= |= ^= <<= >>= @= ..."
CYTHON = """
    cdef cpdef cimport ctypedef include extern nogil gil inline public readonly struct union enum char int
    long short float double void bint unsigned signed const sizeof NULL new IF ELIF ELSE DEF Py_ssize_t"""
FORTRAN = """
    program module submodule subroutine function procedure contains interface implicit none integer real
    complex logical character double precision type class dimension allocatable pointer target optional intent
    in out inout parameter save data common equivalence external intrinsic public private pure elemental
    recursive result if then else elseif end endif enddo do while select case default where elsewhere forall
    call return stop exit cycle continue go goto allocate deallocate nullify open close read write print
    inquire rewind backspace format use only include import block associate critical concurrent extends
    abstract generic import enum enumerator bind volatile value sequence namelist entry assign .true. .false.
    .and. .or. .not. .eqv. .neqv."""
FORTRAN_OPERATORS = "** // == /= <= >= => ::"
FORTRAN_END = """
    end enddo endif endsubroutine endfunction endprogram endmodule endselect endwhere endinterface endtype
    endassociate endforall endblock endenum endsubmodule endprocedure endcritical"""
JAVA = """
    abstract assert boolean break byte case catch char class const continue default do double else enum
    extends final finally float for goto if implements import instanceof int interface long native new package
    private protected public record return sealed short static strictfp super switch synchronized this throw
    throws transient try var void volatile while yield true false null permits"""
JAVA_OPERATORS = "++ -- << >> >>> <= >= == != && || += -= *= /= %= &= |= ^= <<= >>= >>>= -> :: ..."
JAVASCRIPT = """
    async await break case catch class const continue debugger default delete do else export extends false
    finally for function get if import in instanceof let new null of return set static super switch this throw
    true try typeof undefined var void while with yield"""
JAVASCRIPT_OPERATORS = """
    ++ -- ** << >> >>> <= >= == != === !== && || ?? ?. += -= *= /= %= **= &= |= ^= <<= >>= >>>= &&= ||= ??= =>
    ..."""
JAVASCRIPT_WAITING = (
    "return typeof case in of instanceof new delete void throw do else yield await default extends"
)
TYPESCRIPT = """
    abstract any as asserts bigint boolean declare enum implements infer interface is keyof module namespace
    never number object override private protected public readonly satisfies string symbol type unique
    unknown"""
RUST = """
    as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod
    move mut pub ref return self Self static struct super trait true type unsafe use where while i8 i16 i32
    i64 i128 u8 u16 u32 u64 u128 isize usize f32 f64 bool char str"""
RUST_OPERATORS = ":: -> => .. ..= ... << >> <= >= == != && || += -= *= /= %= &= |= ^= <<= >>="
GO = """
    break case chan const continue default defer else fallthrough for func go goto if import interface map
    package range return select struct switch type var true false nil bool byte complex64 complex128 error
    float32 float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32 uint64 uintptr"""
GO_OPERATORS = ":= ++ -- << >> &^ <= >= == != && || <- += -= *= /= %= &= |= ^= <<= >>= &^= ..."
JULIA = """
    abstract baremodule begin break catch const continue do else elseif end export finally for function global
    if import in isa let local macro module mutable primitive quote return struct try type using where while
    true false nothing"""
JULIA_OPERATORS = """
    :: <: >: == === != !== <= >= && || .. ... -> => |> << >> >>> // += -= *= /= ^= %= |= &= .+ .- .* ./ .^ .==
    .!= .<= .>= .< .> .= .+= .-= .*= ./= .^= .&& .|| .\\ .! .% .& .|"""
R = """
    if else repeat while function for next break in return TRUE FALSE NULL Inf NaN NA NA_integer_ NA_real_
    NA_character_ NA_complex_"""
R_OPERATORS = "<- <<- -> ->> <= >= == != && || |> :: ::: :="
MATLAB = """
    break case catch classdef continue else elseif end end_try_catch end_unwind_protect endclassdef
    endenumeration endevents endfor endfunction endif endmethods endparfor endproperties endswitch endwhile
    enumeration events for function global if methods otherwise parfor persistent properties return spmd
    switch try until unwind_protect unwind_protect_cleanup while do true false"""
MATLAB_OPERATORS = ".* ./ .\\ .^ .' == ~= != <= >= && || ++ -- += -= *= /= ^= ** .** |= &="
MATLAB_CLOSERS = """
    end endif endwhile endfor endfunction endswitch end_try_catch end_unwind_protect endparfor endclassdef
    endmethods endproperties endevents endenumeration"""
PERL = """
    if elsif else unless while until for foreach do last next redo return sub package use no require my our
    local and or not xor eq ne lt gt le ge cmp x given when default die eval undef goto BEGIN END __PACKAGE__
    continue"""
PERL_OPERATORS = """
    -> ++ -- ** =~ !~ == != <=> <= >= && || // .. ... :: += -= *= /= .= %= &= |= ^= <<= >>= **= &&= ||= //= =>
    << >> ~~"""
PERL_WAITING = """
    return and or not xor if elsif unless while until split grep map join push unshift x eq ne lt gt le ge cmp
    lc uc keys values each scalar defined ref print when foreach for delete exists wantarray sort reverse
    shift pop bless"""
KOTLIN = """
    abstract actual annotation as break by case catch class companion const continue data def do else enum
    expect extends external false final finally for forSome fun given if implicit import in infix init inline
    inner interface internal is it lateinit lazy macro match new null object open operator out override
    package private protected public reified return sealed super suspend this throw trait true try type
    typealias val var vararg when where while with yield"""
CSHARP = """
    abstract as async await base bool break byte case catch char checked class const continue decimal default
    delegate do double else enum event explicit extern false finally fixed float for foreach get goto if
    implicit in int interface internal is lock long namespace new null object operator out override params
    private protected public readonly record ref return sbyte sealed set short sizeof stackalloc static string
    struct switch this throw true try typeof uint ulong unchecked unsafe ushort using var virtual void
    volatile when where while yield"""
SWIFT = """
    as associatedtype break case catch class continue default defer deinit do else enum extension fallthrough
    false fileprivate final for func guard if import in init inout internal is lazy let mutating nil open
    operator override private protocol public repeat return self static struct subscript super switch throw
    throws true try typealias unowned var weak where while"""
PHP = """
    abstract and array as break case catch class clone const continue declare default do echo else elseif
    endfor endforeach endif endswitch endwhile enum extends false final finally fn for foreach function global
    goto if implements include include_once instanceof interface isset list match namespace new null or print
    private protected public readonly require require_once return static switch throw trait true try unset use
    var while xor yield"""
RUBY = """
    alias and begin break case class def do else elsif end ensure false for if in module next nil not or raise
    redo rescue retry return self super then true undef unless until when while yield require"""
SHELL = """
    if then elif else fi for while until do done case esac in function select return break continue export
    local readonly declare shift exit set unset trap eval exec source true false foreach endforeach endif
    endwhile endfunction macro endmacro elseif and or not"""
LUA = """
    and break do else elseif end false for function goto if in local nil not or repeat return then true until
    while"""
HASKELL = """
    case class data default deriving do else family forall foreign if import in infix infixl infixr instance
    let module newtype of qualified then type where"""
OCAML = """
    and as assert begin class constraint do done downto else end exception external false for fun function
    functor if in include inherit initializer lazy let match method module mutable new object of open or
    private rec sig struct then to true try type val virtual when while with"""
PASCAL = """
    and array as asm begin case class const constructor destructor div do downto else end except exports file
    finally for function goto if implementation in inherited interface is label mod nil not object of on
    operator or packed private procedure program property protected public raise record repeat set shl shr
    string then to try type unit until uses var while with xor true false integer real boolean char exit break
    continue"""
ADA = """
    abort abs abstract accept access all and array at begin body case constant declare delay delta digits do
    else elsif end entry exception exit for function generic goto if in interface is limited loop mod new not
    null of or others out overriding package pragma private procedure protected raise range record rem renames
    return reverse select separate some subtype synchronized tagged task terminate then type until use when
    while with xor true false"""
SQL = """
    select from where group by order having insert into values update set delete create alter drop table view
    index function procedure trigger begin end if then else elsif case when loop while for return returns
    declare and or not null is in like between exists join left right inner outer full on as union all
    distinct limit primary key foreign references default check integer int varchar char text boolean numeric
    real float date timestamp true false exit"""
MAXIMA = """
    if then elseif else for while unless do thru step from in next block return and or not true false lambda
    go"""
GAP = """
    if then elif else fi for while do od repeat until function local return break continue and or not in rec
    true false end quit mod"""
PARI = "if for while until return break next my local forprime forstep fordiv"
LISP = """
    defun defmacro define lambda let let* if cond case when unless loop do dolist dotimes return setq setf
    set! and or not nil t begin progn quote fn defn ns for while try catch throw recur"""
ERLANG = """
    after and andalso band begin bnot bor bsl bsr bxor case catch cond div end fun if let maybe not of or
    orelse receive rem try when xor"""
TEXT = """
    if then else elif elsif elseif for foreach while do until repeat loop switch case when default break
    continue next return goto function func def sub procedure class struct interface module try catch except
    finally throw raise and or not in new true false null nil none int float double char bool void string
    const static var let end begin"""
