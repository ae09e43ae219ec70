"""SQLite's messages about a statement of an account's own, in Chinese, with the original after it."""

import re

#: What SQLite says, as a pattern, and the same in Chinese.
_TEXTS = (
    (r"no such table: (.*)", "没有表 {0}"),
    (r"no such column: (.*)", "没有列 {0}"),
    (r"ambiguous column name: (.*)", "列 {0} 在几个表中都有，请写明表名"),
    (r"no such function: (.*)", "没有函数 {0}"),
    (r"wrong number of arguments to function (.*)", "函数 {0} 的参数个数不对"),
    (r'near "(.*)": syntax error', "语法有误，在 {0} 附近"),
    (r"incomplete input", "语句不完整"),
    (r"unrecognized token: (.*)", "不认识 {0}"),
    (r"misuse of aggregate.*", "汇总函数用得不对"),
    (r"(?:not authorized.*|access to .* is prohibited)", "只能读取本范围的表"),
    (r"You can only execute one statement at a time\.?", "一次只能执行一条语句"),
    (r"Statement must be a SELECT", "只能查询，以 SELECT 或 WITH 开头"),
    (r"Statement contained a disallowed PRAGMA.*", "不能用 PRAGMA"),
    (r"string or blob too big", "值太长"),
    (r"LIKE or GLOB pattern too complex", "LIKE 或 GLOB 的条件太长"),
    (r"(?:too many .*|Expression tree is too large.*|parser stack overflow)", "语句太复杂，请分几次查询"),
    (r"out of memory", "内存不够，请加上条件"),
)


def in_words(message: str) -> str:
    """A message in Chinese and as it was; unchanged if there is no text for it, or if it is Chinese already."""
    for pattern, text in _TEXTS:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return f"{text.format(*found.groups())} / {message}"
    return message
