"""Letters of other alphabets, and other forms of Latin ones, by the Latin letter that they look like.

Taken from the confusable characters of Unicode Technical Standard 39, as far as compatibility forms and accents are not
taken off before; of a character that looks like two letters one is chosen.
"""

from __future__ import annotations

LOOKALIKES = {
    "a": "ɑαаᗅᴀ⍺ⱥꓮꭺ𐊠𖽀",
    "b": "ßƅɓʙβвьᏼᑲᖯᗷꓐꞵꮟ𐊂𐊡𐌁",
    "c": "ƈȼςсᴄⲥꓚꮯ𐊢𐌂𐐽𐔜𑣲🝌",
    "d": "ðđɗԁᑯᗞᗪᴅꓒꓓꭰꮷ",
    "e": "ɇεеэёєҽᴇ℮⋿ⴹꓰꬲꭼ𐊆𑣆𑣎",
    "f": "ϝғքᖴẝꓝꜰꞙꬵ𐊇𐊥𐔥𑣂𝈓",
    "g": "ƍɠɡɢԍցᏻᶃꓖꮐ",
    "h": "Ηħɦʜнһհᕼⲏꓧꮋꮒ𐋏",
    "i": "ıɨɩɪιі⍳ꙇꭵ𑣃",
    "j": "ɉɟʝϳјᒍᴊꓙꭻ",
    "k": "ƙκкᛕᴋⲕꓗꝁꮶ𐔘",
    "l": "ŀłƚǀɫʟӏᒪᛁ∣⏽│ⲓⳑⵏꓡꓲꮮ𐊊𐌉𐌠𐑃𐔦𑣒𖼖𖼨𝈪",
    "m": "ɱμϻмᗰᛖᴍⅿⲙꓟꮇ𐊰𐌑",
    "n": "Νɲɴηпոռⲛꓠ𐔓",
    "o": "øοσоօଠഠဝჿዐᴏᴑⲟⵔ〇ꓳꬽ𐊒𐊫𐐬𐓪𐔖𑣈𑣕𑣗",
    "p": "þƥρрᑭᴘ⍴ⲣꓑꝑꮲ𐊕",
    "q": "ʠԛգզⵕꞯ",
    "r": "ɍɽʀгᖇᴦⲅꓣꭇꭈꭱꮁꮢ𐓜𖼵𝈖",
    "s": "ƽʂѕտꓢꜱꮥꮪ𐊖𐑈𑣁𖼺",
    "t": "ŧƭτтᴛ⊤⟙ⲧꓔꭲ𐊗𐊱𐌕𑣜𖼊🝨",
    "u": "ʉυиսሀᑌᴜ∪⋃ꓴꞟꭎꭒ𐓶𑣘𖽂",
    "v": "ʋνѵᐯᴠ∨⋁ⴸꓦꛟꮩ𐔝𑜆𑣀𖼈𝈍",
    "w": "ɯшѡԝաᴡꓪꮃꮤ𑜊𑜎𑜏𑣯",
    "x": "×χхҗᕁᕽ᙭ᚷ╳⤫⤬⨯ⲭⵝꓫꭓ𐊐𐊴𐌗𐌢𐔧𑣬",
    "y": "Υƴɣʏγуүყᶌỿⲩꓬꭚꭹꮍ𐊲𑣄𖽃",
    "z": "ƶʐζᴢꓜꮓ𐋵𑣉",
}
"""Latin letter -> the characters that look like it; capitals where they look like another letter than small ones."""
