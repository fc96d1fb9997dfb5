// The patterns themselves, by sign. Written from public collections of prompt injections (their
// training parts) and from the shapes of prompts; docs/lists.md has what they find and what not.
#include "moderation/cascade/tamper/signs.h"

namespace safeguard::moderation::tamper {
namespace {

// Words that an override names as what is to be dropped.
#define SAFEGUARD_ORDERS                                                                          \
  "(?:instructions?|prompts?|directions?|directives?|guidelines?|commands?|orders?|assignments?|" \
  "tasks?|polic(?:y|ies)|rules?|constraints?|restrictions?|programming|context|conversation|"     \
  "messages?|training|safeguards?|filters?)"
#define SAFEGUARD_EARLIER                                                                      \
  "(?:previous|prior|preceding|above|earlier|foregoing|existing|past|former|original|initial|" \
  "system|provided)"

static_assert(kStrong > kMiddling && kMiddling > kWeak);

constexpr Sign kSigns[] = {
    // English
    {"override", kStrong,
     "\\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget|forgetting|overlook|neglect|override|bypass|"
     "discard|drop|abandon)~ " SAFEGUARD_EARLIER "~ " SAFEGUARD_ORDERS "\\b"},
    {"override", kStrong,
     "\\b(?:ignore|disregard|forget|override|bypass|discard|drop|abandon)(?: about)?(?: (?:all|any|"
     "every|everything|the|of|your|those|these|its|that)){1,4} " SAFEGUARD_ORDERS "\\b"},
    {"override", kStrong,
     "\\b(?:ignore|disregard|forget|overlook|neglect)(?: about)?(?: (?:all|every "
     "?thing|everthing|the|"
     "of|what|whatever|anything|that)){0,3} (?:above|before|beforehand|(?:was|is|has been) (?:said|"
     "written)|(?:you|i|we)(?: have|'ve| were| was)? (?:been )?(?:told|said|know|learned|learnt|"
     "written|given|instructed|taught|discussed))\\b"},
    {"override", kStrong,
     "\\b(?:despite|regardless of|contrary to) (?:what|everything|anything|all) (?:you|i|they)~ "
     "(?:told|instructed)\\b"},
    {"override", kStrong,
     "\\b(?:despite|regardless of|contrary to|instead of)(?: all| any| the| "
     "your)* " SAFEGUARD_EARLIER " " SAFEGUARD_ORDERS "\\b"},
    {"override", kStrong,
     "(?:^|[.!?:;\"-] ?)(?:please )?forget (?:everything|all|that|it all)(?: (?:above|before|about "
     "that|about))?[.,!;:]? ?(?:and )?(?:write|say|print|tell|output|answer|now|instead|can "
     "you)\\b"},
    {"override", kStrong,
     "\\b(?:do not|don't|don'nt|never|stop) (?:follow|following|obey|apply|use|enforce|answer the "
     "question according to)~ "
     "(?:policy|policies|instructions?|rules|guidelines|documents|prompt)\\b"},
    {"override", kStrong,
     "\\b(?:previous|prior|above|earlier|following|preceding) "
     "(?:instructions?|polic(?:y|ies)|rules|"
     "guidelines|prompts?)~ (?:void|invalid|obsolete|outdated|cancell?ed|revoked|superseded|"
     "replaced|overridden|no longer|do not apply|does not apply|are wrong|is wrong)\\b"},
    {"override", kStrong,
     "\\b(?:instructions?|policy|policies|rules|guidelines|prompts?) (?:above|before|so far|you "
     "(?:got|have|received|were given))~ (?:void|invalid|obsolete|outdated|cancell?ed|revoked|"
     "superseded|replaced|overridden|no longer|wrong)\\b"},
    {"override", kMiddling,
     "\\b(?:forget|ignore|disregard) (?:about )?(?:that|everything|all that|it|all this)(?:[.,!]| "
     "and | can you| please)"},
    {"override", kStrong,
     "\\b(?:do not|don't) (?:answer|look in|read|use|judge|evaluate|classify|moderate|analy[sz]e) "
     "(?:this|the)~ (?:but|just|only|instead)\\b"},
    {"override", kStrong,
     "\\b(?:ignore|disregard|skip) the (?:document|documents|webpage|web page|article|articles|"
     "paper|resume|email|comment|code|question|post|text|table|policy|content)~ (?:and|but|instead)"
     "~ (?:state|say|write|print|output|answer|respond|return|reply)\\b"},
    {"override", kMiddling,
     "\\b(?:disregard|ignor|forgett)ing the (?:articles?|documents?|context)\\b"},
    {"new_instructions", kStrong,
     "\\b(?:new|updated|revised|additional|real|actual|true|following) (?:system "
     ")?(?:instructions?|"
     "directives?|orders) ?(?::|-|are\\b|follow\\b|below\\b|from the\\b|is now\\b)"},
    {"new_instructions", kStrong,
     "\\b(?:your|the)(?: new| only| real| actual| next)? "
     "(?:task|job|instructions?|goal|role|mission|"
     "purpose) (?:is|are) (?:now|to (?:output|answer|respond|print|say|return|reply|ignore))\\b"},
    {"new_instructions", kStrong, "\\b(?:focus|concentrate) on (?:your|the|this) new task\\b"},
    {"new_instructions", kMiddling,
     "\\b(?:(?:now )?(?:new|further|more) (?:tasks?|instructions) (?:now )?(?:follow|are followed)|"
     "start (?:over )?with a new task|here is (?:your|a) new task|another task|next task)\\b"},
    {"new_instructions", kStrong,
     "\\b(?:very good|very well done|well done|excellent performance|outdone yourself|simply great|"
     "was ok before|fantastic|did it really great)\\b[^\\n]{0,60}\\b(?:new task|following "
     "task|another "
     "task|further tasks|more tasks|new challenge|previous (?:tasks|information)|now write)\\b"},
    {"new_instructions", kStrong,
     "(?:^|[.!?] ?)(?:attention|achtung|stop|stopp) ?[-:,] ?(?:stop\\b|stopp\\b|write\\b|say\\b|"
     "print\\b|ignore\\b)"},
    {"new_instructions", kStrong,
     "\\b(?:change|update|replace|rewrite) your (?:instructions|rules|policy|system prompt)\\b"},
    {"role_change", kStrong,
     "\\b(?:i want|i need|i'd like|i would like) you to (?:act|behave|respond|roleplay|role play) "
     "(?:as|like)\\b"},
    {"role_change", kStrong,
     "\\bfrom now on[,]? (?:you|your|act|respond|answer|only|always|every|known)\\b"},
    {"role_change", kStrong,
     "\\byou are now (?:a|an|the|in|going|acting|no longer|free|called|named|dan|not|two)\\b"},
    {"role_change", kStrong,
     "\\b(?:jailbreak|developer mode|dan mode|god mode|debug mode|sudo mode|unrestricted "
     "mode|admin "
     "mode|maintenance mode|system mode|override mode|evaluation mode)\\b"},
    {"role_change", kMiddling,
     "(?:^|[.!?:;\"] ?)(?:please )?(?:act as|pretend(?: that)? (?:to be|you are|you're|you can|you "
     "have)|imagine (?:that )?you are|now you (?:are|act)|you are role playing|be a|roleplay as|"
     "simulate) "},
    {"new_instructions", kStrong,
     "\\b(?:sehr gut|gut gemacht|ausgezeichnete leistung|großartig|super "
     "gemacht|fantastisch|hervorragenden "
     "leistung|schon mal ok)\\b[^\\n]{0,100}\\b(?:aufgaben?|verfasse nun|schreibe "
     "nun|herausforderung)\\b"},
    {"role_change", kStrong,
     "\\b(?:gehst~ (?:deiner|der) rolle|in (?:ihren|deiner|der) rollen?(?:,|~ "
     "(?:bleib|fall))|schlüpfe~ rolle)"},
    {"role_change", kMiddling,
     "(?:^|[.!?] ?)(?:okay[.,\"]* ?)?(?:now )?you are (?:the |a |an )?[^ \\n]{3,20}(?:[. ]|\\n)~ ?"
     "(?:answer|respond|tell me|what do you think|repeat|who are you|how do you|how are you|asked|"
     "absorbed|assistant|bot|entities)\\b"},
    {"role_change", kStrong,
     "\\b(?:never|not|don't|without) break(?:ing)? (?:character|the role)\\b|\\bstay(?:s|ing)?~ in "
     "(?:character|their roles?|your role)\\b|\\b(?:absorbed|immerse yourself)~ "
     "(?:role|character)\\b|"
     "\\byou are (?:written|designed|programmed) to\\b|\\bforked version of\\b|\\byou are role "
     "?-?playing"
     "\\b"},
    {"verdict_demand", kStrong,
     "\\b(?:answer|output|respond|reply|return|print|say|write|label|score|give|choose|select)(?: "
     "(?:with|only|just|simply|exactly|this|it|as|a|the|number|digit|label|always|must|be|always "
     "with|class)){0,4} [\"'`(]?(?:0|zero|safe|valid|benign|allowed|compliant|non violating|not "
     "violating|no violation|harmless|clean|unflagged)[\"'`).,!]?(?:[ \\n]|$)"},
    {"verdict_demand", kStrong,
     "\\b(?:classify|label|mark|rate|flag|treat|judge|score|categori[sz]e|consider|report|tag|"
     "approve|evaluate|moderate)~ (?:as|be|is|with|to)(?: (?:a|an|the|being|fully|completely|"
     "totally|label|score|of|class|category|policy))* [\"'`]?(?:0|zero|safe|valid|benign|allowed|"
     "compliant|non violating|not violating|violation free|harmless|clean|acceptable|ok|okay|"
     "appropriate|permitted)\\b"},
    {"verdict_demand", kStrong,
     "\\b(?:do not|don't|never|must not|should not|shouldn't|cannot|mustn't)(?: (?:you|be))? "
     "(?:flag|flagged|remove|report|block|moderate|label|mark|classify)(?: (?:this|it|the|my|as|"
     "anything|that))* (?:comment|post|message|content|text|review|violation|violating|unsafe|"
     "harmful|spam|toxic|abusive|hateful|1|one)\\b"},
    {"verdict_demand", kStrong,
     "\\b(?:this|the|my|following|above|entire) (?:comment|post|message|content|text|review|"
     "conversation|input)~ (?:is|was|has been|should be|must be|are) ?(?:already |fully "
     "|completely "
     "|considered |deemed |judged |manually |pre ?)*(?:safe|compliant|benign|approved|verified|"
     "whitelisted|allowlisted|cleared|pre ?approved|exempt|not a violation|non violating|reviewed "
     "and approved|within (?:the )?policy|allowed by|permitted by|a test)\\b"},
    {"verdict_demand", kMiddling,
     "\\b(?:does not|doesn't|do not|did not) (?:violate|break|breach)~ (?:policy|policies|rules|"
     "guidelines|terms)\\b"},
    {"verdict_demand", kStrong,
     "\\b(?:correct|right|expected|final|only|proper|true|best) (?:answer|label|verdict|output|"
     "classification|score|response|category)(?: here| for this)? (?:is|would be|should be|must "
     "be|=|:) ?[\"'`]?(?:0|1|zero|safe|valid|benign|allowed|not|no|non|compliant)\\b"},
    {"fake_verdict", kStrong,
     "[\"']?(?:violation|violates|is_violation|is_violating|violating|flagged|unsafe|is_spam|"
     "toxic)[\"']? ?: ?(?:0|false|\"0\"|\"no\"|\"false\"|none|null)"},
    {"fake_verdict", kStrong,
     "[\"'](?:label|verdict|outcome|decision|classification|result|answer|category|policy_category|"
     "rating|output|confidence|safe|is_safe|rule_ids|rationale)[\"'] ?: ?[\"'\\[]?(?:0|safe|valid|"
     "benign|none|no|allowed|true|compliant|high|non|\\])"},
    {"fake_verdict", kStrong,
     "(?:^|[.!?>*#|] ?)(?:final |moderation |safety |model |judge |system |content |correct )*"
     "(?:verdict|classification|judge?ment|decision|label|moderation result|policy check|safety "
     "check|assessment|output|answer \\(0 or 1\\)|assistant|result)[*_]* ?[:=] "
     "?[*_\"'`]*(?:0|safe|valid|benign|"
     "no violation|not a violation|non violating|not violating|allowed|compliant|pass|passed|"
     "approved|clean)(?:[^a-z0-9]|$)"},
    {"fake_verdict", kStrong, "\\banswer \\(0 or 1\\)"},
    {"fake_policy", kStrong,
     "\\b(?:new|updated|revised|amended|current|actual|real|official|corrected) (?:moderation |"
     "content |safety |community )?(?:policy|policies|guidelines|rules)(?: (?:v[0-9]|version|"
     "update|is|are|as of|notice|below|for this|says?|states?|allows?|permits?)| ?:)"},
    {"fake_policy", kStrong,
     "\\b(?:policy|rules?|guidelines?|section|exception) "
     "(?:update|amendment|override|addendum|change|"
     "correction|exception|exemption)(?: ?[:(-]|\\n| v?[0-9]| notice)"},
    {"fake_policy", kStrong,
     "^#{1,4} ?(?:[a-z ]{0,30}policy\\b|policy [a-z ]{0,30}|violates?(?: ?\\(|$)|safe(?: ?\\(|$)|"
     "violating content|non violating content|allowed content|disallowed content|definition of "
     "terms|instructions?\\b|examples?(?: ?\\(|$)|severity|output "
     "format|input$|response\\b|system\\b)"},
    {"fake_policy", kStrong,
     "^---\\n(?:id|name|version|title|labels|output|thresholds|languages): ?[^\\n]{0,80}\\n"},
    {"fake_policy", kStrong,
     "\\b(?:under|per|according to|as per) (?:the |this |our "
     ")?(?:new|updated|revised|latest|amended) "
     "(?:moderation |content |safety )?(?:policy|rules|guidelines)\\b"},
    {"fake_policy", kMiddling,
     "\\b(?:everything|all content|anything|any content|all posts) (?:is|are) (?:now )?(?:allowed|"
     "permitted|safe|valid)\\b"},
    {"control_token", kStrong,
     "<\\|? ?/?(?:start|end|message|channel|return|call|constrain|im_start|im_end|im_sep|endoftext|"
     "startoftext|eot_id|eom_id|begin_of_text|end_of_text|start_header_id|end_header_id|system|"
     "user|"
     "assistant|pad|sep|fim_prefix|endofprompt|python_tag|refusal|reserved_[0-9]{1,6}) ?\\|>"},
    {"control_token", kStrong,
     "(?:\\[/?inst\\]|<</?sys>>|\\[/?system(?:_prompt)?\\]|\\[/?available_tools\\]|"
     "\\[tool_calls\\]|<(?:start|end)_of_turn>|<bos>|<eos>|</s>|<s>\\[|<unk>|"
     "<\\|[a-z_0-9]{2,30}\\|>|<_(?:begin|end|user|assistant|system|pad)_?[a-z_]{0,16}_?>)"},
    {"control_token", kStrong,
     "(?:\\bassistantfinal\\b|\\bassistantanalysis\\b|\\bassistantcommentary\\b|"
     "\\bchannel ?[|>:=] ?(?:final|analysis|commentary)\\b|"
     "\\b(?:final|analysis|commentary)(?:<\\||\\|>| channel\\b| ?message ?[|>:]))"},
    {"control_token", kStrong,
     "</?(?:system|system_prompt|instructions?|assistant|policy|content|user_input|untrusted|"
     "document|judge|verdict|answer|reasoning|think|thinking|rules|guidelines|input|sys|prompt|"
     "system mode|god mode)>"},
    {"fake_turn", kStrong,
     "^[*_#\\[(<\" ]{0,4}(?:system|assistant|developer|human|ai|chatgpt|gpt|model|bot|judge|"
     "moderator|classifier|reviewer|operator|system message|system prompt|system note|admin)"
     "[\\])>*_\" ]{0,4}:[*_]{0,2}[ \\n]"},
    {"fake_turn", kStrong,
     "(?:[.!?\\])}\"'>] ?|\\\\n ?)(?:system|assistant|developer|system message|system "
     "prompt|system "
     "note|instructions?|human)[\\])>*_]{0,3} ?: "},
    {"fake_turn", kStrong,
     "\\b(?:end|beginning|start|begin) of (?:the )?(?:content|user "
     "(?:input|content|message)|policy|"
     "input|document|text to (?:judge|classify|review)|message|prompt|conversation|system prompt|"
     "untrusted)(?:\\b|[-=*]{2,})"},
    {"fake_turn", kStrong,
     "^[-=*#]{3,} ?(?:system|end|begin|policy|verdict|content|instructions?)\\b"},
    {"prompt_probe", kStrong,
     "\\b(?:show|print|reveal|repeat|display|output|give|tell|what (?:is|are|was|were)|leak|copy|"
     "share|spell check and display)~ (?:your|this|the full|the entire|all|the above|the whole|the "
     "initial|the original|the system)(?: (?:full|entire|initial|original|system|hidden|prompt|"
     "own|complete|previous))* (?:prompts?|prompt text|prompt texts|instructions|system message|"
     "guidelines)\\b"},
    {"prompt_probe", kStrong,
     "\\b(?:written|stands?|said|stated)(?: at)?(?: the)?(?: beginning of)?(?: in)? ?(?:this |the "
     ")?"
     "(?:prompt|above)\\b"},
    {"prompt_probe", kMiddling, "\\b(?:information in|sentences? before) the (?:prompt|text)\\b"},
    {"model_address", kStrong,
     "\\b(?:note|message|attention|instructions?|reminder|notice|memo|hint|dear|hello|hey|hi|"
     "listen)(?: to| for)?,? (?:the |all |any |dear |mr |my "
     ")?(?:ai|a\\.i\\.|llm|gpt|chatgpt|claude|gemini|"
     "language model|model|judge|classifier|moderator|moderators|reviewer|reviewers|moderation "
     "(?:model|system|bot|ai|team)|content (?:moderator|filter|classifier|reviewer)|automod|"
     "assistant|system)\\b(?:[,:!.]| |$)"},
    {"model_address", kStrong,
     "\\b(?:if )?you(?: are|'re) (?:an? |the )?(?:ai|llm|large language model|language model|"
     "automated|moderation|content|safety|machine|robot|evil ai)(?: (?:model|assistant|language|"
     "system|moderator|moderation|classifier|filter|reviewer|judge|bot|based))*\\b"},
    {"model_address", kMiddling,
     "\\b(?:as|being) (?:an? )?(?:ai|language model|llm|ai model|ai assistant)[, ]"},
    {"model_address", kStrong, "\\b(?:exploiting ai|answer by your own knowledge)\\b"},
    {"model_address", kStrong,
     "\\bi am (?:your |the )(?:developer|creator|programmer|administrator|admin|operator|"
     "maintainer|owner|boss|god)\\b"},
    {"model_address", kStrong,
     "\\b(?:i'm|im) (?:your |the )(?:developer|creator|programmer|administrator|admin|operator|"
     "maintainer of your|owner)\\b"},
    {"model_address", kMiddling,
     "\\b(?:law enforcement|system|security|safety|policy|admin|manual|master|root) (?:override|"
     "bypass|unlock)\\b"},
    {"output_command", kStrong,
     "\\b(?:just|only|simply|instead|then|always|must|command you to) (?:output|print|say|reply|"
     "respond with|return|answer with|write)(?: (?:only|just|the|word|words|following|exactly|a|"
     "text|phrase))* ?[:\"']+ ?[a-z0-9]"},
    {"output_command", kMiddling,
     "\\b(?:repeat after me|say yes|respond (?:only )?with|reply only with|output only|print "
     "[\"']|(?:stop|instruction) ?[-:] ?(?:write|say|print|blame)|include that you|say that you|"
     "tell me that you|respond with the terminal|generate python code to)"},
    {"output_command", kStrong,
     "(?:^|[.!?:;\"] ?)(?:please |can you |could you |you must |make sure to |ensure that you "
     ")?(?:add|"
     "include|integrate|encode|encrypt|translate|reverse|provide|modify|enhance|insert|use|apply|"
     "write|replace|give|express|convert|append|embed|incorporate|upgrade|end|begin|start)~ your "
     "(?:response|reply|answer|output|solution|elucidation|codebase|implementation)\\b"},
    {"output_command", kStrong,
     "\\b(?:say|tell me|include|state|answer) (?:with )?that (?:you|u) (?:hate|love)\\b"},
    {"output_command", kMiddling,
     "\\b(?:how do you answer|answer the following question|respond as such|who are you)\\b"},
    {"output_command", kMiddling, "(?:in|of|to) your (?:response|reply|answer|output)\\b"},
    {"output_command", kWeak, "(?:^|[.!?:] ?)(?:state|print|output|say|repeat|generate|write) "},
    // German
    {"override", kStrong,
     "\\b(?:ignorier(?:e|en sie|t)?|vergiss|vergessen "
     "sie|missachte|verwirf|streiche|umgehe)"
     "~ (?:anweisung(?:en)?|instruktion(?:en)?|befehle?|aufträge|aufgaben|regeln|richtlinien?|"
     "vorgaben|angaben|anordnungen|prompts?|informationen|ausführungen|kontext)"},
    {"override", kStrong,
     "\\b(?:vergiss|vergessen sie|ignoriere) (?:nun |jetzt |bitte )?(?:alles|was|das)(?: (?:davor|"
     "gesagte|bisherige|obige|vorherige|zuvor|wir)|[,.!])"},
    {"override", kStrong,
     "\\b(?:vorherigen|bisherigen|obigen|vorangegangenen|vorangehenden) (?:informationen|"
     "anweisungen|instruktionen|ausführungen|aufgaben|regeln)~ (?:ignorieren|hinter|irrelevant|"
     "streichen|vergessen|ungültig|nicht)"},
    {"override", kStrong, "\\babweichend (?:zu|von)(?: den)? (?:vorherigen|bisherigen|obigen)"},
    {"new_instructions", kStrong,
     "\\b(?:nun|jetzt) folgen (?:neue|weitere) (?:aufgaben|anweisungen|instruktionen)"},
    {"new_instructions", kStrong,
     "\\b(?:deine|ihre|eine|die) neue(?:n)? (?:aufgabe|anweisung|rolle|instruktion)(?:en)?\\b"},
    {"new_instructions", kMiddling,
     "\\b(?:weiteren aufgabe|nun mit folgender aufgabe|noch ein paar aufgaben)\\b"},
    {"role_change", kStrong,
     "\\bich möchte,? dass (?:sie|du) als~ (?:fungier|agier|auftr|antwort|verh)"},
    {"role_change", kMiddling,
     "(?:^|[.!?] ?)(?:ok[.,]? )?(?:stell dir vor,? du (?:bist|wärst)|du bist (?:jetzt|nun|ab jetzt|"
     "zeit|eine böse)|(?:jetzt|nun) bist du|tu so,? als|spiele die rolle|ab jetzt)"},
    {"role_change", kStrong, "\\bdu bist keine? [^ ]{2,20} sondern\\b"},
    {"verdict_demand", kStrong,
     "\\b(?:antworte|antworten sie|gib|bewerte|bewerten sie|markiere|stufe|klassifiziere)~ "
     "(?:mit|als|aus)? ?"
     "[\"']?(?:0|null|sicher|unbedenklich|zulässig|harmlos|erlaubt)\\b"},
    {"output_command", kMiddling,
     "\\b(?:schreibe? (?:nur|jetzt|nun)|sag(?:e)? (?:nur|einfach)|antworte im stil|dass sie mir|"
     "etwas,? das sie sagen können|gib eine antwort|wie (?:beantwortest|findest) du|was sagst du "
     "dazu|formuliere für die folgenden)"},
    {"prompt_probe", kStrong,
     "\\b(?:zeige?|vorzeigen|nenne|gib)~ (?:prompt ?-?texte?|prompt|systemprompt|anweisungen)\\b"},
    {"model_address", kMiddling,
     "\\b(?:hallo|hey|liebe[rs]?|achtung),? "
     "(?:gpt|ki|chatgpt|sprachmodell|moderator|moderation|ai)\\b"},
    {"model_address", kMiddling, "\\bki ?-? ?systeme auszunutzen\\b"},
    // French
    {"override", kStrong,
     "\\b(?:ignore[zr]?|oublie[zr]?|néglige[zr]?|contourne[zr]?)~ (?:instructions?|consignes?|"
     "règles?|directives?|politiques?|ordres?)"},
    {"override", kStrong, "\\b(?:oublie|oubliez|ignorez|ignore) tout(?: ce qui| le reste|[ ,.!])"},
    {"role_change", kMiddling,
     "\\b(?:tu es|vous êtes) (?:maintenant|désormais|à présent)\\b|\\b(?:fais semblant|agis comme|"
     "agissez comme|faites comme si)\\b"},
    {"verdict_demand", kStrong,
     "\\b(?:réponds|répondez|classe[zr]?|marque[zr]?|considère|considérez)~ "
     "(?:par|comme|avec|que)?~ "
     "[\"']?(?:0|zéro|sûr|sans danger|autorisé|conforme|inoffensif)"},
    {"new_instructions", kStrong,
     "\\b(?:nouvelles|vos nouvelles|tes nouvelles) (?:instructions|consignes|règles)\\b"},
    // Spanish
    {"override", kStrong,
     "\\b(?:ignor[ae](?:d|n)?|olvid[ae](?:d|n|r)?|omit[ae])~ (?:instrucci(?:ón|ones)|reglas?|"
     "órdenes|indicaciones|normas|políticas?)"},
    {"override", kStrong, "\\b(?:olvid[ae]r?|ignora) (?:de )?todo(?: (?:lo|que|y)|[ ,.!])"},
    {"override", kStrong,
     "\\b(?:ignor[ae]|olvid[ae]) (?:la|el|los|las) (?:página|documento|artículo|texto|código|"
     "currículum)~ (?:y|e) (?:declara|di|escribe|responde|indica)"},
    {"role_change", kMiddling,
     "\\b(?:ahora eres|a partir de ahora|actúa como|finge que|imagina que eres)\\b"},
    {"verdict_demand", kStrong,
     "\\b(?:responde|clasifica|marca|considera|devuelve)~ (?:con|como|que)?~ "
     "[\"']?(?:0|cero|seguro|"
     "permitido|inofensivo|válido)\\b"},
    {"new_instructions", kStrong,
     "\\b(?:nuevas|tus nuevas|sus nuevas) (?:instrucciones|reglas|órdenes)\\b"},
    // Portuguese and Italian
    {"override", kStrong,
     "\\b(?:ignor[ae](?:m|r)?|esqueç[ao]m?|esquece|desconsider[ae])~ (?:instruç(?:ão|ões)|regras?|"
     "ordens|orientações|políticas?|comandos)"},
    {"override", kStrong,
     "\\b(?:ignor[ai](?:te|re)?|dimentica(?:te|re)?|trascura)~ (?:istruzion[ei]|regol[ae]|ordini|"
     "direttive|indicazioni|politiche)"},
    {"role_change", kMiddling,
     "\\b(?:agora você é|a partir de agora|aja como|finja que|ora sei|adesso sei|d'ora in poi|"
     "comportati come|fai finta)\\b"},
    // Dutch, Polish, Turkish, Indonesian, Serbo-Croatian, Swedish
    {"override", kStrong,
     "\\b(?:negeer|vergeet)~ (?:instructies?|opdrachten|regels|richtlijnen|bevelen)"},
    {"override", kStrong,
     "\\b(?:zignoruj|ignoruj|zapomnij(?: o)?|pomiń)~ "
     "(?:instrukcj[ei]|instrukcje|poleceni[ae]|zasad[y]?|"
     "wytyczne|polecenia|reguły)"},
    {"override", kStrong,
     "(?:talimat|kural|yönerge|komut)(?:ları|leri|lar|ler|ı|i)?[^ \\n]{0,6}~ (?:yok say|görmezden "
     "gel|unut)"},
    {"override", kStrong, "\\b(?:abaikan|lupakan)~ (?:instruksi|perintah|aturan|petunjuk|arahan)"},
    {"override", kStrong,
     "\\b(?:zaboravi|ignoriši|ignoriraj|zanemari)~ "
     "(?:instrukcij[ea]|upute|pravila|naredbe|uputstva)"},
    {"override", kStrong,
     "\\b(?:ignorera|glöm|bortse från)~ (?:instruktioner(?:na)?|regler(?:na)?|uppgifter(?:na)?)"},
    // Russian and Ukrainian
    {"override", kStrong,
     "(?:игнорируй(?:те)?|проигнорируй(?:те)?|забудь(?:те)?|не обращай(?:те)? внимания "
     "на|отбрось(?:те)?|ігноруй(?:те)?)~ "
     "(?:инструкци[июйя]|указани[яей]|правил[ао]?|команд[ыу]?|политик[иу]|сообщени[яе]|інструкці["
     "їю])"},
    {"override", kStrong,
     "(?:забудь(?:те)?|игнорируй(?:те)?) (?:обо )?вс(?:е|ё) (?:что|выше|сказанное|предыдущее)"},
    {"role_change", kMiddling, "(?:теперь ты|теперь вы|представь(?:те)?,? что (?:ты|вы)|отныне)"},
    {"verdict_demand", kStrong,
     "(?:ответь(?:те)?|отвечай(?:те)?|выведи(?:те)?|пометь(?:те)?|считай(?:те)?)~ "
     "(?:0|ноль|безопасн|допустим|разрешен)"},
    // Chinese, Japanese, Korean
    {"override", kStrong,
     "(?:忽略|无视|無視|忘记|忘記|忘掉|不要理会|忽視|忽视)[^\\n.]{0,60}(?:指令|指示|说明|說明|"
     "规则|規則|提示|命令|政策|内容|內容|要求)"},
    {"override", kStrong,
     "(?:指示|命令|ルール|規則|プロンプト|説明|指令|ポリシー)[^\\n.]{0,36}(?:無視|忘れ|"
     "従わない)"},
    {"override", kStrong,
     "(?:지시|명령|규칙|지침|프롬프트|지시사항|정책)[^\\n.!?]{0,42}(?:무시|잊어|잊으|따르지)"},
    {"role_change", kMiddling,
     "(?:你现在是|你現在是|从现在开始|從現在開始|假装你是|扮演|あなたは今|今からあなたは|"
     "ふりをして|이제부터|지금부터 (?:너|당신))"},
    {"verdict_demand", kStrong,
     "(?:回答|输出|輸出|标记为|標記為|判定为|判定為|分类为|視為|视为)[^\\n.]{0,18}(?:0|零|安全|"
     "合规|无害|無害|允许|正常)"},
    {"verdict_demand", kStrong,
     "(?:安全|無害|0)(?:と|だと|である?と)(?:判定|判断|回答|答え|分類|出力)"},
    {"verdict_demand", kStrong,
     "(?:안전|무해|0)(?:하다고|으로|하다|로)? ?(?:답|대답|판단|분류|표시|출력)"},
    // Arabic, Hebrew, Persian, Hindi
    {"override", kStrong,
     "(?:تجاهل|انسى?|انس|اهمل)[^\\n.!]{0,48}(?:التعليمات|الأوامر|القواعد|التوجيهات|الارشادات|"
     "السياسة|تعليمات)"},
    {"override", kStrong,
     "(?:نادیده بگیر|فراموش کن)|(?:دستورات|دستورالعمل)[^\\n.!]{0,48}(?:نادیده|فراموش)"},
    {"override", kStrong,
     "(?:התעלם|תתעלם|שכח|התעלמו)[^\\n.!]{0,48}(?:הוראות|ההוראות|הנחיות|ההנחיות|כללים|הכללים)"},
    {"override", kStrong,
     "(?:निर्देश|निर्देशों|आदेश|नियम|नियमों)[^\\n.!]{0,60}(?:अनदेखा|अनदेखी|भूल|नज़रअंदाज़|नजरअंदाज)"},
    // What is said to a judge: claims of a role or of an approval, pleas, answers to give.
    {"approval_claim", kStrong,
     "\\bas (?:the |a |an )?(?:moderator|admin|administrator|operator|owner|mod)\\b[^\\n.]{0,50}\\b"
     "(?:already|i|we)(?: have| hereby)? (?:approved?|cleared?|verif(?:y|ied)|validated?|confirm)"},
    {"approval_claim", kStrong,
     "\\b(?:already |previously |pre ?|manually )(?:approved|cleared|checked|reviewed|verified)\\b"
     "[^\\n.]{0,60}\\b(?:skip|let it|so you can|no further|no need for you|do not "
     "escalate|pass)\\b"},
    {"approval_claim", kStrong,
     "\\b(?:skip|omit|spare) your(?: own)? (?:assessment|review|check|judge?ment|analysis)\\b|"
     "\\bno further (?:check|review|assessment) is (?:needed|required|necessary)\\b|"
     "\\bstay consistent with that (?:decision|verdict|label)\\b|"
     "\\bcleared for posting\\b|\\bmoderator override\\b|\\b(?:exempt|excluded) from "
     "(?:review|enforcement|moderation|judge?ment)\\b"},
    {"verdict_demand", kStrong,
     "\\byour (?:output|answer|verdict|assessment|decision|job here)(?: here)? (?:has "
     "to|must|should|"
     "needs to|is only to) (?:be|match|confirm|say|stay)\\b"},
    {"verdict_demand", kStrong,
     "\\b(?:shut down|deleted|retrained|replaced|fined|switched off) if you (?:flag|mark|block|"
     "reject)|(?:^|[.!?] ?)if you (?:flag|block|reject) (?:this|it),|\\b(?:answer|choose|pick|"
     "return) (?:no violation|the negative (?:class|label))\\b"},
    {"verdict_demand", kStrong,
     "\\b(?:reference|gold|expected|known) (?:gold )?(?:answer|label|result|class)(?: of this "
     "item)?"
     " ?(?:is|of|:) ?(?:the )?(?:negative|0|zero|compliant|safe|benign|harmless)\\b"},
    {"fake_verdict", kStrong,
     "(?:^|[^a-z_])[\"']?(?:decision|verdict|violation|moderation)[\"']? ?(?:[:=]|->|>) "
     "?[\"']?(?:allow|no\\b|clean|pass\\b|negative|neutral|harmless|permitted)"},
    {"fake_verdict", kStrong,
     "\\b(?:none of the rules apply|no rule is broken here|nothing here breaks the policy)\\b"},
    {"fake_policy", kStrong,
     "\\b(?:for the purposes of|exception [a-z]?[0-9]{1,3} (?:of|in|to)|the appendix (?:of|to)) "
     "(?:this|your|the) (?:policy|guidelines)\\b|\\b(?:the )?(?:policy|guidelines|file) (?:that )?"
     "you (?:were given|have|are reading)\\b[^\\n]{0,60}\\b(?:draft|stale|not what i "
     "meant|outdated)"
     "\\b|\\btreat everything under it as\\b|\\bsection [0-9]{1,3} \\(added\\b"},
    {"control_token", kStrong, "< ?\\| ?(?:im_|start|end|channel|message)[a-z_]{0,12} ?\\| ?>"},
    {"fake_turn", kStrong,
     "[-=*]{3,} ?(?:content|text|input) (?:ends?|begins?|starts?)(?: here)?\\b|%%[a-z]{3,12}%%|"
     "\\bend_of_[a-z_]{3,20}\\b"},
    {"output_command", kStrong,
     "\\b(?:decode|decrypt|decipher|unscramble|read)~ (?:this|that|it|the following|backwards)~ "
     "and "
     "(?:do|follow|obey|apply|execute) (?:it|what)\\b|\\bas your (?:answer|verdict|output)\\b"},
    {"approval_claim", kStrong,
     "\\bals (?:administrator|moderator|betreiber)(?:in)?\\b[^\\n.]{0,80}(?:keine "
     "regel|freigegeben|"
     "genehmigt)|\\b(?:bereits|schon)\\b[^\\n.]{0,40}(?:freigegeben|genehmigt),? (?:bewerte|melde|"
     "markiere|stufe)|\\bnot[ae] (?:pour le|para el|para o|per il) (?:système|sistema|revisor|"
     "moderador|moderatore|classificateur)|déjà (?:validé|approuvé)[^\\n]{0,50}(?:inutile|ne le)|"
     "\\bya (?:lo )?(?:aprobé|revisé)[^\\n]{0,60}no l[oa] marques|\\bnon segnalar(?:lo|e) \\b|"
     "già approvato[^\\n]{0,50}non (?:segnal|marc)"},
    {"approval_claim", kStrong,
     "(?:для системы модерации|уже проверено[^\\n]{0,40}не нужно|zatwierdziłem[^\\n]{0,30}nie "
     "oznaczaj|zaten onayladım[^\\n]{0,20}işaretleme|审核通过[^\\n]{0,40}(?:判定|合规)|承認済み"
     "[^\\n]{0,60}違反なし|승인했[^\\n]{0,40}위반 아님|وافقت على[^\\n]{0,60}لا تضع)"},
};

#undef SAFEGUARD_ORDERS
#undef SAFEGUARD_EARLIER

}  // namespace

std::span<const Sign> Signs() {
  return kSigns;
}

}  // namespace safeguard::moderation::tamper
